"""CodeBuild: builds really run, as child processes under the project's role."""
