"""What the ETL's benchmark needs of this use case: more years, and the same work by its peers."""
