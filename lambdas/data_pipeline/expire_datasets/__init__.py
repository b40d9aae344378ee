"""Deletes dataset versions that are old and that nothing rests on."""
