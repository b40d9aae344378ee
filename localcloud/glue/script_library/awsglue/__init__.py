"""The part of Glue's `awsglue` library that scripts need to start."""
