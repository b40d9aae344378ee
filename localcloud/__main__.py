"""The command line of the embedded AWS: `python -m localcloud up | down | status | logs | env`."""

import sys

from localcloud.command import main

sys.exit(main(sys.argv[1:]))
