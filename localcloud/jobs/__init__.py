"""Jobs as child processes: supervised, logged to CloudWatch Logs, never outliving the daemon."""
