"""What the jobs run: Spark jobs, training, evaluation and the serving container."""
