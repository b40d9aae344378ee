"""Everything that must survive: buckets, tables and their key."""
