"""The program that CDK_DOCKER names: `login`, `inspect`, `build`, `tag` and `push`."""

import sys

from localcloud.docker.command import main

sys.exit(main(sys.argv[1:]))
