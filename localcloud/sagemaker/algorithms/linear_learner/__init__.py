"""`linear-learner`: AWS's Linear Learner, whose artefact MXNet 1.x can load too.

`model.tar.gz` holds one file, `model_algo-1`, a zip with four members:

- `mx-mod-symbol.json`: the graph, data -> FullyConnected `fc0` -> output `out`;
- `mx-mod-0000.params`: an NDArray list file of MXNet. Little-endian: list magic 0x112 and a zero
  (64 bit each); the number of arrays (64 bit); each array as magic 0xF993FAC9, storage type 0,
  number of dimensions (32 bit each), dimensions (64 bit each), device type 1, device id 0, type
  0 for float32 (32 bit each), the values in row order; the number of names (64 bit); each name as
  its length (64 bit) and bytes. The names are `arg:fc0_weight`, of shape (classes or 1, features),
  and `arg:fc0_bias`, of shape (classes or 1). They hold for features as they are in the channel:
  the normalisation that training used is already multiplied in.
- `additional-params.json`: our own content, for AWS documents none: `predictor_type`,
  `feature_dim`, `num_classes`, `threshold` (the score from which `predicted_label` is 1), `loss`;
- `manifest.json`: the names of the others.

A score is sigmoid(w.x + b) for binary_classifier, softmax(W.x + b) for multiclass_classifier and
w.x + b for regressor; with `hinge_loss` it is w.x + b. A missing value counts as zero.
"""
