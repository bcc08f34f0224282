"""Drives parleyd with nbxmpp, the library of Gajim: archive, carbons and stream management in an
implementation that shares nothing with the others."""

import time
import unittest

import gi

gi.require_version("Soup", "3.0")
from gi.repository import GLib  # noqa: E402
from nbxmpp.client import Client as NbxmppClient  # noqa: E402
from nbxmpp.const import ConnectionProtocol, ConnectionType  # noqa: E402
from nbxmpp.protocol import JID, Iq, Message, Presence  # noqa: E402
from nbxmpp.structs import StanzaHandler  # noqa: E402

from live_server import PASSWORD, LiveServer, run_tests  # noqa: E402

FOLDER = None
PATIENCE_S = 60


def until(condition, what="what was waited for"):
    """Runs the loop until `condition()`."""
    context = GLib.MainContext.default()
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen")
        if not context.iteration(False):
            time.sleep(0.005)


class Client:
    """Keeps what it is sent, as nbxmpp understands it."""

    def __init__(self, server, name, resource):
        self.client = NbxmppClient(log_context=name)
        self.client.set_domain("localhost")
        self.client.set_username(name)
        self.client.set_password(PASSWORD)
        self.client.set_resource(resource)
        self.client.set_custom_host(f"127.0.0.1:{server.port}", ConnectionProtocol.TCP,
                                    ConnectionType.START_TLS)
        self.client.set_ignore_tls_errors(True)
        self.jid = JID.from_string(f"{name}@localhost")
        self.events = []
        self.messages = []  # (stanza, properties)
        for event in ("connected", "resume-successful", "resume-failed", "disconnected"):
            self.client.subscribe(event, lambda _client, signal: self.events.append(signal))
        self.client.register_handler(
            StanzaHandler(name="message", callback=self.on_message, priority=60))

    def on_message(self, _client, stanza, properties):
        self.messages.append((stanza, properties))

    def wait_for(self, event):
        until(lambda: event in self.events, event)
        self.events.clear()

    def log_in(self):
        self.client.connect()
        self.wait_for("connected")
        self.client.send_stanza(Presence())
        return self

    def log_out(self):
        self.client.disconnect()
        self.wait_for("disconnected")

    def cut(self):
        """The connection is gone, without a closing tag."""
        self.client.disconnect(immediate=True)
        self.wait_for("disconnected")

    def say(self, to, text):
        self.client.send_stanza(Message(to=to, body=text, typ="chat"))

    def bodies(self):
        """Of what came as itself."""
        return [properties.body for _, properties in self.messages
                if properties.body and not properties.is_mam_message
                and not properties.is_carbon_message]

    def call(self, request):
        """Starts a task of a module and returns its result."""
        results = []

        def finished(task):
            # Its result is gone when this returns.
            try:
                results.append(task.finish())
            except Exception as error:  # pylint: disable=broad-except
                results.append(error)

        request(finished)
        until(lambda: results, "an answer")
        if isinstance(results[0], Exception):
            raise results[0]
        return results[0]

    def acknowledged(self):
        return not self.client._smacks._uqueue

    def page(self, after=None, most=50):
        """The results of a page of the archive, and what ends it. Without an address: this release
        of nbxmpp fails to write the field."""
        self.messages.clear()
        end = self.call(lambda callback: self.client.get_module("MAM").make_query(
            self.jid, queryid="page", after=after, max_=most, callback=callback))
        results = [properties for _, properties in self.messages if properties.is_mam_message]
        for properties in results:
            assert properties.mam.query_id == "page" and properties.mam.archive == self.jid
        return results, end


class NbxmppTest(unittest.TestCase):
    def setUp(self):
        self.server = LiveServer(FOLDER).start()
        self.addCleanup(self.server.close)
        for name in ("romeo", "juliet"):
            self.server.add_user(name)

    def test_the_archive_is_read_page_by_page(self):
        romeo = Client(self.server, "romeo", "orchard").log_in()
        juliet = Client(self.server, "juliet", "balcony").log_in()
        words = [f"word {number}" for number in range(25)]
        for word in words:
            romeo.say("juliet@localhost", word)
        until(lambda: juliet.bodies() == words)
        until(romeo.acknowledged)
        given = [properties.stanza_ids[0] for _, properties in juliet.messages]
        self.assertEqual({one.by for one in given}, {juliet.jid})

        found, after = [], None
        for complete in (False, False, True):
            results, end = juliet.page(after=after, most=10)
            self.assertEqual(end.complete, complete)
            self.assertEqual(end.rsm.first, results[0].mam.id)
            self.assertEqual(end.rsm.last, results[-1].mam.id)
            self.assertEqual(end.rsm.count or 25, 25)
            found += results
            after = end.rsm.last
        self.assertEqual([one.body for one in found], words)
        self.assertEqual([one.mam.id for one in found], [one.id for one in given])

        prefs = juliet.call(lambda callback: juliet.client.get_module("MAM").request_preferences(
            callback=callback))
        self.assertEqual(prefs.default, "always")
        juliet.call(lambda callback: juliet.client.get_module("MAM").set_preferences(
            "always", [], ["romeo@localhost"], callback=callback))
        juliet.messages.clear()
        romeo.say("juliet@localhost", "off the record")
        until(lambda: juliet.bodies() == ["off the record"])
        results, end = juliet.page(after=after)
        self.assertEqual((results, end.complete), ([], True))
        romeo.log_out()
        juliet.log_out()
        self.assertEqual(self.server.stop(), 0)

    def test_every_client_sees_both_sides(self):
        desk = Client(self.server, "romeo", "desk").log_in()
        phone = Client(self.server, "romeo", "phone").log_in()
        juliet = Client(self.server, "juliet", "balcony").log_in()
        enable = Iq("set")
        enable.addChild("enable", namespace="urn:xmpp:carbons:2")
        answers = []
        phone.client.send_stanza(enable, callback=lambda _client, answer: answers.append(answer))
        until(lambda: answers)
        self.assertEqual(answers[0].getType(), "result")
        desk.say("juliet@localhost/balcony", "from the desk")
        until(lambda: juliet.bodies() == ["from the desk"])
        juliet.say("romeo@localhost/desk", "to the desk")
        until(lambda: desk.bodies() == ["to the desk"])

        def copies():
            return [(properties.carbon.type, properties.body)
                    for _, properties in phone.messages if properties.is_carbon_message]

        until(lambda: copies() == [("sent", "from the desk"), ("received", "to the desk")])
        for client in (desk, phone, juliet):
            client.log_out()
        self.assertEqual(self.server.stop(), 0)

    def test_a_stream_is_resumed(self):
        romeo = Client(self.server, "romeo", "phone").log_in()
        juliet = Client(self.server, "juliet", "balcony").log_in()
        romeo.say("juliet@localhost", "before")
        until(lambda: juliet.bodies() == ["before"])
        until(romeo.acknowledged)
        romeo.cut()
        for number in range(5):
            juliet.say("romeo@localhost/phone", f"while away {number}")
        until(juliet.acknowledged)
        romeo.client.connect()
        romeo.wait_for("resume-successful")
        until(lambda: romeo.bodies() == [f"while away {number}" for number in range(5)])

        # The server is gone for a while, and nothing of this changes.
        self.assertEqual(self.server.stop(), 0)
        for client in (romeo, juliet):
            client.wait_for("disconnected")
        self.server.start()
        juliet.client.connect()
        juliet.wait_for("resume-successful")
        juliet.say("romeo@localhost/phone", "after the restart")
        until(juliet.acknowledged)
        romeo.client.connect()
        romeo.wait_for("resume-successful")
        until(lambda: romeo.bodies()[5:] == ["after the restart"])
        for client in (romeo, juliet):
            client.log_out()
        self.assertEqual(self.server.stop(), 0)


if __name__ == "__main__":
    run_tests(__name__)
