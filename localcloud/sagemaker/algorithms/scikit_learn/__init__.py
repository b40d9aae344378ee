"""`sagemaker-scikit-learn`: AWS's framework container, which runs the user's own script.

It runs the scikit-learn that is installed here, whatever version the image's tag names, and says so
in the first line of its log.
"""
