"""Hyperparameter tuning jobs: training jobs in search of the best values.

`jobs` has the operations, `request` what is refused, `ranges` the search space, `search` the
strategies (Optuna), `run` the execution, `early_stopping` the median rule, `trials` what is known
of each training job, `warm_start` what earlier tuning jobs know.
"""
