"""Runs localstripe on 127.0.0.1 without a log, because its own command listens on every address."""

import sys

from aiohttp import web
from localstripe import server

web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
