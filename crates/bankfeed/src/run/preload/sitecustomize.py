"""Makes Python trust the authority of `bankfeed run`, and use its proxy.

Two libraries have no variable for it. Stripe's own names a list of authorities in its package, and
aiohttp ignores the variables of proxies. Both are changed when they are imported, so a program that
does not use them does not load them.
"""

import importlib.machinery
import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
AUTHORITY = os.path.join(HERE, os.pardir, "authority.pem")


def trust(ssl):
    load = ssl.SSLContext.load_verify_locations

    def load_verify_locations(context, *arguments, **named):
        load(context, *arguments, **named)
        if os.path.exists(AUTHORITY):
            load(context, cafile=AUTHORITY)

    ssl.SSLContext.load_verify_locations = load_verify_locations


def use_proxy(client):
    begin = client.ClientSession.__init__

    def __init__(session, *arguments, **named):
        named.setdefault("trust_env", True)
        begin(session, *arguments, **named)

    client.ClientSession.__init__ = __init__


CHANGES = {"ssl": trust, "aiohttp.client": use_proxy}


class Finder:
    """Finds the modules to change, and changes each after its own code ran."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        change = CHANGES.pop(name, None)
        if change is None:
            return None
        spec = importlib.util.find_spec(name)
        if spec is None or not hasattr(spec.loader, "exec_module"):
            return spec
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            change(module)

        spec.loader.exec_module = exec_module
        return spec


for name in [name for name in CHANGES if name in sys.modules]:
    CHANGES.pop(name)(sys.modules[name])
sys.meta_path.insert(0, Finder)

# The machine may have a module of this name too, which this one hides.
others = [entry for entry in sys.path if os.path.abspath(entry) != HERE]
hidden = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
if hidden is not None and hidden.loader is not None:
    hidden.loader.exec_module(importlib.util.module_from_spec(hidden))
