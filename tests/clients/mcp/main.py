"""`bankfeed mcp` by the official Python client of the Model Context Protocol.

An agent lists the tools, links an account, refreshes it, lets days pass, and asks the judge about a client
with a fault. It runs once as a client that asks for the newest lifecycle first, and once as one that begins with
the handshake. Prints a line for each step, and at the end `N passed, M failed`.
"""

import asyncio
import json
import os
import sys
import traceback
import urllib.parse
import urllib.request
from pathlib import Path

from mcp import Client, StdioServerParameters

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from server import BINARY, Server  # noqa: E402

DAY = 86_400
TOOLS = {
    "link_account",
    "refresh_account",
    "advance_clock",
    "run_scenario",
    "judge",
    "explain_delivery",
    "list_accounts",
    "list_transactions",
    "list_events",
    "list_deliveries",
    "list_banks",
    "list_scenarios",
}


class Agent:
    def __init__(self, server, key, client):
        self.server = server
        self.key = key
        self.client = client

    async def call(self, tool, **arguments):
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result
        assert json.loads(result.content[0].text) == result.structured_content, result
        return result.structured_content

    # Steps, in order.

    async def the_tools_are_listed(self):
        listed = await self.client.list_tools()
        assert {tool.name for tool in listed.tools} == TOOLS, listed
        assert all(tool.input_schema["additionalProperties"] is False for tool in listed.tools)
        assert self.server.url in self.client.instructions, self.client.instructions

    async def an_account_is_linked_on_a_clock(self):
        linked = await self.call("link_account", new_test_clock=True, subscribe=True)
        self.account = linked["accounts"][0]["id"]
        self.clock = linked["created_test_clock"]

    async def the_account_is_refreshed(self):
        refreshed = await self.call(
            "refresh_account", account=self.account, features=["balance", "transactions"]
        )
        states = {name: refresh["status"] for name, refresh in refreshed["refreshes"].items()}
        assert states == {"balance": "succeeded", "transactions": "succeeded"}, refreshed
        self.refresh = refreshed["refreshes"]["transactions"]["id"]

    async def days_pass(self):
        advanced = await self.call("advance_clock", duration="3d", test_clock=self.clock)
        assert advanced["to"] - advanced["from"] == 3 * DAY, advanced
        rows = await self.call(
            "list_transactions", account=self.account, after_refresh=self.refresh, limit=100
        )
        assert rows["data"], rows

    async def an_error_names_its_parameter(self):
        result = await self.client.call_tool("refresh_account", {"account": "fca_123"})
        error = result.structured_content["error"]
        assert result.is_error and error["status"] == 404, result
        assert (error["code"], error["param"]) == ("resource_missing", "account"), error
        unknown = await self.client.call_tool("link_account", {"bnk": "Test (OAuth)"})
        assert unknown.is_error and "bnk" in unknown.content[0].text, unknown

    async def the_judge_finds_a_fault(self):
        report = await self.call("judge")
        assert report["verdict"] == "nothing_seen", report
        newest = self.rows()["data"][0]["transacted_at"]
        for since in (newest, newest + 1):
            self.rows(("transacted_at[gte]", since))
        report = await self.call("judge", reset=True)
        codes = [finding["code"] for finding in report["findings"]]
        assert "time_as_cursor" in codes, report

    def rows(self, *filters):
        """The list of a client that takes the time of a row for a cursor."""
        query = urllib.parse.urlencode([("account", self.account), *filters])
        path = "/v1/financial_connections/transactions"
        request = urllib.request.Request(f"{self.server.url}{path}?{query}")
        request.add_header("Authorization", f"Bearer {self.key}")
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)


async def run(mode, server):
    key = f"sk_test_mcp_{mode}"
    command = StdioServerParameters(
        command=str(BINARY),
        args=["mcp", "--api-base", server.url, "--api-key", key],
        env=dict(os.environ),
    )
    passed = failed = 0
    async with Client(command, mode=mode) as client:
        agent = Agent(server, key, client)
        steps = [name for name in vars(Agent) if name[:2] != "__" and name not in HELPERS]
        for step in steps:
            try:
                await getattr(agent, step)()
            except Exception:
                failed += 1
                print(f"FAILED mcp {mode} {step}\n{traceback.format_exc()}", flush=True)
                break
            passed += 1
            print(f"mcp {client.protocol_version} {step.replace('_', ' ')}", flush=True)
    return passed, failed


HELPERS = {"call", "rows"}


async def main():
    # A subscribed account is refreshed at once, and the agent then refreshes it again.
    server = Server(cool_down_test=0)
    server.start()
    try:
        runs = [await run(mode, server) for mode in ("auto", "legacy")]
    finally:
        server.stop()
    passed, failed = (sum(counts) for counts in zip(*runs))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


asyncio.run(main())
