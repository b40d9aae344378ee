"""Entry point of a built-in container: `python -m localcloud.sagemaker.algorithms NAME COMMAND`."""

import sys

from localcloud.sagemaker.algorithms.run import main

sys.exit(main(sys.argv[1:]))
