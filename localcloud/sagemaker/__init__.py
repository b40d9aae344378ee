"""Amazon SageMaker: jobs that run, endpoints that serve, their control plane and runtime."""
