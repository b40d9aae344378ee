"""The operator's command `fourblocks`: it speaks boto3 and CloudFormation outputs, nothing else."""
