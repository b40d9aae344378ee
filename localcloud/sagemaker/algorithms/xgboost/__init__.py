"""`sagemaker-xgboost`: AWS's XGBoost container, in algorithm mode and in script mode.

Training prints `[0]#011train-auc:0.60000#011validation-auc:0.60000` for each round and leaves one
file, `xgboost-model`, in the model's archive: the library's own `Booster.save_model`, which writes
UBJSON to a name without an ending and which `xgboost.Booster(model_file=...)` reads. After early
stopping the attribute `best_iteration` names the last round that answers rest on. Features have
no names: column i of the channel after its label (CSV, Parquet) or index i (LIBSVM) is feature i.
Checkpoints are `xgboost-checkpoint.<round>`, the last five, in the same format.
"""
