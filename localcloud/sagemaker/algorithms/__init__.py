"""AWS's own container images as local programs that honour the real containers' contract.

`catalogue` says which there are; `python -m localcloud.sagemaker.algorithms NAME train|serve` is
what plays a container's entry point. They run like every other image: as child processes, with the
`/opt/ml` layout rooted by `SAGEMAKER_BASE_DIR`.
"""
