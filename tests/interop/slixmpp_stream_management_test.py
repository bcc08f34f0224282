"""Stream management (XEP-0198) with slixmpp: a phone that loses its connection, or its server, and
comes back; and what it finds in the archive when it cannot go on where it was."""

import asyncio
import unittest

from live_server import LiveServer, run_tests
from slixmpp_test import Client, run_async, until

FOLDER = None
PATIENCE_S = 60


class Phone(Client):
    """Asks for a resumable stream; a connection that is cut does not end its session."""

    def __init__(self, server, name, resource):
        super().__init__(server, name, resource)
        self.register_plugin("xep_0198")
        self.resumed = asyncio.Event()
        self.failed_to_resume = asyncio.Event()
        self.acked = []
        self.add_event_handler("session_resumed", lambda _: self.resumed.set())
        self.add_event_handler("sm_failed", lambda _: self.failed_to_resume.set())
        self.add_event_handler("stanza_acked", self.acked.append)

    @property
    def management(self):
        return self["xep_0198"]

    def cut(self):
        """The connection is gone, without a closing tag."""
        self.ended.clear()
        self.transport.abort()

    async def come_back(self):
        await asyncio.wait_for(self.ended.wait(), PATIENCE_S)
        self.ended.clear()
        self.resumed.clear()
        self.connect(("127.0.0.1", self.live.port))
        done, pending = await asyncio.wait(
            [asyncio.ensure_future(event.wait()) for event in
             (self.resumed, self.failed_to_resume)],
            timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        assert done, "neither resumed nor refused"
        return self.resumed.is_set()

    async def all_acknowledged(self):
        """Asks again and again: slixmpp's request overtakes the stanzas that it sends later."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while not self.waiting_queue.empty() or self.management.unacked_queue:
            self.management.request_ack()
            await asyncio.sleep(0.05)
            assert asyncio.get_running_loop().time() < deadline, self.management.unacked_queue


def bodies(stanzas):
    return [stanza["body"] for stanza in stanzas if stanza.name == "message"]


class StreamManagementTest(unittest.TestCase):
    def setUp(self):
        self.server = LiveServer(FOLDER).start()
        self.addCleanup(self.server.close)
        for name in ("romeo", "juliet"):
            self.server.add_user(name)

    def test_every_stanza_is_acknowledged_once(self):
        async def conversation():
            phone = await Phone(self.server, "romeo", "phone").log_in()
            await until(lambda: phone.management.enabled_in)
            self.assertTrue(phone.management.sm_id)
            juliet = await Client(self.server, "juliet", "balcony").log_in()
            words = [f"word {number}" for number in range(40)]
            for word in words:
                phone.send_message("juliet@localhost", word, mtype="chat")
            await phone.all_acknowledged()
            self.assertEqual(bodies(phone.acked), words)
            self.assertEqual(phone.management.last_ack, phone.management.seq)
            # What is acknowledged is there, whatever becomes of the server.
            await until(lambda: juliet.bodies() == words)
            await phone.log_out()
            await juliet.log_out()

        run_async(conversation())
        self.assertEqual(self.server.stop(), 0)

    def test_a_stream_goes_on_after_its_connection_is_cut(self):
        async def conversation():
            phone = await Phone(self.server, "romeo", "phone").log_in()
            juliet = await Client(self.server, "juliet", "balcony").log_in()
            phone.send_message("juliet@localhost", "before", mtype="chat")
            await phone.all_acknowledged()
            token = phone.management.sm_id
            for round_number in range(3):
                phone.cut()
                # Nobody notices, and what is sent meanwhile comes once, in order.
                sent = [f"{round_number} while away {number}" for number in range(10)]
                for word in sent:
                    juliet.send_message(phone.boundjid, word, mtype="chat")
                await juliet["xep_0199"].send_ping("localhost")
                self.assertTrue(await phone.come_back())
                self.assertEqual(phone.management.sm_id, token)
                await until(lambda: phone.bodies()[-10:] == sent)
                phone.send_message("juliet@localhost", f"back {round_number}", mtype="chat")
                await phone.all_acknowledged()
            await until(lambda: juliet.bodies() ==
                        ["before"] + [f"back {number}" for number in range(3)])
            self.assertEqual(len(phone.messages), 30)
            self.assertEqual(juliet.messages[-1]["from"].full, "romeo@localhost/phone")
            self.assertFalse([p for p in juliet.presences if p["type"] == "unavailable"])
            await phone.log_out()
            await juliet.log_out()

        run_async(conversation())
        self.assertEqual(self.server.stop(), 0)

    def test_a_stream_goes_on_after_the_server_is_restarted(self):
        async def conversation():
            phone = await Phone(self.server, "romeo", "phone").log_in()
            desk = await Phone(self.server, "juliet", "desk").log_in()
            await phone["xep_0280"].enable()
            desk.send_message("romeo@localhost", "before", mtype="chat")
            await until(lambda: phone.bodies() == ["before"])
            await desk.all_acknowledged()
            self.assertEqual(await asyncio.to_thread(self.server.stop), 0)
            await asyncio.to_thread(self.server.start)
            self.assertTrue(await desk.come_back())
            desk.send_message("romeo@localhost", "to who is still away", mtype="chat")
            await desk.all_acknowledged()
            self.assertTrue(await phone.come_back())
            await until(lambda: phone.bodies() == ["before", "to who is still away"])
            phone.messages[-1].reply("I am here").send()
            await until(lambda: desk.bodies() == ["I am here"])
            for client in (phone, desk):
                await client.log_out()

        run_async(conversation())
        self.assertEqual(self.server.stop(), 0)

    def test_who_cannot_resume_after_a_kill_has_lost_nothing(self):
        async def conversation():
            phone = await Phone(self.server, "romeo", "phone").log_in()
            desk = await Phone(self.server, "juliet", "desk").log_in()
            words = [f"word {number}" for number in range(20)]
            for word in words[:10]:
                desk.send_message(phone.boundjid, word, mtype="chat")
            await desk.all_acknowledged()
            await until(lambda: phone.bodies() == words[:10])
            phone.cut()
            for word in words[10:]:
                desk.send_message("romeo@localhost", word, mtype="chat")
            await desk.all_acknowledged()
            self.server.kill()
            await asyncio.to_thread(self.server.start)
            # Either it goes on, or it logs in anew and is given what it has not acknowledged.
            await phone.come_back()
            if not phone.resumed.is_set():
                await asyncio.wait_for(phone.ready.wait(), PATIENCE_S)
            await until(lambda: len(phone.bodies()) >= 20)
            await phone["xep_0199"].send_ping("localhost")
            self.assertEqual(phone.bodies(), words)
            # And so says the archive.
            found = [result["mam_result"]["forwarded"]["stanza"]["body"] async for result in
                     phone["xep_0313"].iterate(with_jid="juliet@localhost")]
            self.assertEqual(found, words)
            await phone.log_out()

        run_async(conversation())
        self.assertEqual(self.server.stop(), 0)

    def test_who_has_synced_from_the_archive_is_sent_nothing_twice(self):
        async def conversation():
            juliet = await Client(self.server, "juliet", "balcony").log_in()
            words = [f"night {number}" for number in range(500)]
            for word in words:
                juliet.send_message("romeo@localhost", word, mtype="chat")
            await juliet["xep_0199"].send_ping("localhost")

            phone = Phone(self.server, "romeo", "phone")
            phone.del_event_handler("session_start", phone.on_start)
            synced = []

            async def sync_first(_):
                page = await phone["xep_0313"].retrieve(rsm={"max": "500"})
                synced.append(page)
                phone.send_presence()

            phone.add_event_handler("session_start", sync_first)
            phone.connect(("127.0.0.1", self.server.port))
            await until(lambda: synced)
            results = synced[0]["mam"]["results"]
            found = [result["mam_result"]["forwarded"]["stanza"]["body"] for result in results]
            self.assertEqual(found, words)
            juliet.send_message("romeo@localhost", "morning", mtype="chat")
            await until(lambda: "morning" in phone.bodies())
            self.assertEqual([body for body in phone.bodies() if body], ["morning"])
            for client in (phone, juliet):
                await client.log_out()

        run_async(conversation())
        self.assertEqual(self.server.stop(), 0)


if __name__ == "__main__":
    run_tests(__name__)
