"""`python -m marengocam.cli`."""

import sys

from marengocam.cli.main import main

sys.exit(main())
