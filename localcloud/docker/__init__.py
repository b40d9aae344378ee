"""A stand-in for the docker command: builds and pushes images without Docker."""
