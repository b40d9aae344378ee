"""CodePipeline's control plane."""
