"""Runs localstripe on a port of 127.0.0.1; by itself it listens on every address, and logs every call."""

import sys

from aiohttp import web
from localstripe import server

web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
