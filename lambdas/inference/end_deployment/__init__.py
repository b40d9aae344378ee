"""Ends a deployment: undoes what failed, removes what serves no more, lets the lease go."""
