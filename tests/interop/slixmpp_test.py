"""Drives parleyd with slixmpp: what two people with an ordinary client do."""

import asyncio
import unittest
from xml.etree import ElementTree

import slixmpp
from slixmpp.exceptions import IqError

from live_server import PASSWORD, LiveServer, run_tests

FOLDER = None
PATIENCE_S = 60


class Client(slixmpp.ClientXMPP):
    """Logs in, asks for the roster, becomes available; keeps what it is sent."""

    def __init__(self, server, name, resource, password=PASSWORD, mechanism=None):
        super().__init__(f"{name}@localhost/{resource}", password, sasl_mech=mechanism)
        self.live = server
        self.ca_certs = server.certificate
        self.messages = []
        self.presences = []
        self.failed = False
        self.ready = asyncio.Event()
        self.ended = asyncio.Event()
        for plugin in ("xep_0030", "xep_0054", "xep_0077", "xep_0199", "xep_0202", "xep_0092",
                       "xep_0049", "xep_0012", "xep_0191", "xep_0280", "xep_0313", "xep_0352",
                       "xep_0359", "xep_0441"):
            self.register_plugin(plugin)
        # Registration before login is a test of its own.
        self["xep_0077"].create_account = False
        self.add_event_handler("session_start", self.on_start)
        self.add_event_handler("message", self.messages.append)
        self.add_event_handler("presence", self.presences.append)
        self.add_event_handler("failed_all_auth", self.on_failed)
        self.add_event_handler("disconnected", lambda _: self.ended.set())

    async def on_start(self, _):
        await self.get_roster()
        self.send_presence()
        self.ready.set()

    def on_failed(self, _):
        self.failed = True
        self.ended.set()

    async def log_in(self):
        self.connect(("127.0.0.1", self.live.port))
        await asyncio.wait_for(self.ready.wait(), PATIENCE_S)
        return self

    async def log_out(self):
        self.disconnect()
        await asyncio.wait_for(self.ended.wait(), PATIENCE_S)

    def bodies(self):
        return [message["body"] for message in self.messages]


async def until(condition):
    """Waits for `condition()`; the test's patience is the limit."""

    async def poll():
        while not condition():
            await asyncio.sleep(0.02)

    await asyncio.wait_for(poll(), PATIENCE_S)


def run_async(conversation):
    """Runs one conversation on a loop of its own; what it left running ends with it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(asyncio.wait_for(conversation, 4 * PATIENCE_S))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


class SlixmppTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = LiveServer(FOLDER, "[registration]\nenabled = true\n").start()
        for name in ("romeo", "juliet", "nurse", "tybalt"):
            cls.server.add_user(name)

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        log = cls.server.log()
        cls.server.close()
        assert code == 0, f"parleyd ended with {code}:\n{log}"

    def test_two_people_subscribe_and_chat_both_ways(self):
        async def conversation():
            romeo = await Client(self.server, "romeo", "orchard").log_in()
            juliet = await Client(self.server, "juliet", "balcony").log_in()
            romeo.send_presence_subscription("juliet@localhost")
            await until(lambda: romeo.client_roster["juliet@localhost"]["subscription"] == "both")
            await until(lambda: juliet.client_roster["romeo@localhost"]["subscription"] == "both")
            await until(lambda: any(p["from"].full == "juliet@localhost/balcony"
                                    and p["type"] == "available" for p in romeo.presences))

            romeo.send_message("juliet@localhost", "But soft!", mtype="chat")
            await until(lambda: juliet.bodies() == ["But soft!"])
            juliet.messages[0].reply("Ay me & <sighs> \u2665").send()
            await until(lambda: romeo.bodies() == ["Ay me & <sighs> \u2665"])
            self.assertEqual(romeo.messages[0]["from"].full, "juliet@localhost/balcony")

            await juliet.log_out()
            await until(lambda: romeo.presences[-1]["type"] == "unavailable")
            for number in range(5):
                romeo.send_message("juliet@localhost", f"later {number}", mtype="chat")
            await romeo["xep_0199"].send_ping("localhost")
            juliet = await Client(self.server, "juliet", "chamber").log_in()
            await until(lambda: len(juliet.messages) == 5)
            self.assertEqual(juliet.bodies(), [f"later {number}" for number in range(5)])
            self.assertIsNotNone(juliet.messages[0].xml.find("{urn:xmpp:delay}delay"))
            await juliet.log_out()
            await romeo.log_out()

        run_async(conversation())

    def test_each_mechanism_logs_in(self):
        async def conversation():
            for mechanism in ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN",
                              "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS", None):
                if mechanism in ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"):
                    # Forced below what is offered, slixmpp says 'y' to channel binding although the
                    # server offers it: RFC 5802 section 6 demands that the login fails.
                    continue
                client = await Client(self.server, "nurse", "home", mechanism=mechanism).log_in()
                used = client["feature_mechanisms"].mech.name
                self.assertEqual(used, mechanism or "SCRAM-SHA-512-PLUS")
                await client.log_out()

        run_async(conversation())

    def test_a_wrong_password_is_refused(self):
        async def conversation():
            client = Client(self.server, "nurse", "home", password="wrong")
            client.connect(("127.0.0.1", self.server.port))
            await asyncio.wait_for(client.ended.wait(), PATIENCE_S)
            self.assertFalse(client.ready.is_set())

        run_async(conversation())

    def test_roster_versioning_sends_nothing_that_is_known(self):
        async def conversation():
            tybalt = await Client(self.server, "tybalt", "one").log_in()
            await tybalt.update_roster("nurse@localhost", name="Nurse", groups=["House"])
            await until(lambda: tybalt.client_roster["nurse@localhost"]["name"] == "Nurse")
            version = tybalt.client_roster.version
            self.assertTrue(version)
            query = tybalt.make_iq_get("jabber:iq:roster")
            query["roster"]["ver"] = version
            answer = await query.send()
            self.assertIsNone(answer.xml.find("{jabber:iq:roster}query"))
            query = tybalt.make_iq_get("jabber:iq:roster")
            answer = await query.send()
            items = answer.xml.findall("{jabber:iq:roster}query/{jabber:iq:roster}item")
            self.assertEqual([item.get("jid") for item in items], ["nurse@localhost"])
            await tybalt.log_out()

        run_async(conversation())

    def test_vcard_and_private_storage_are_kept(self):
        async def conversation():
            nurse = await Client(self.server, "nurse", "home").log_in()
            card = nurse["xep_0054"].make_vcard()
            card["FN"] = "Angelica"
            await nurse["xep_0054"].publish_vcard(card)
            tybalt = await Client(self.server, "tybalt", "two").log_in()
            answer = await tybalt["xep_0054"].get_vcard("nurse@localhost")
            self.assertEqual(answer["vcard_temp"]["FN"], "Angelica")
            with self.assertRaises(IqError) as caught:
                await nurse["xep_0054"].get_vcard("tybalt@localhost")
            self.assertEqual(caught.exception.condition, "service-unavailable")
            await nurse.log_out()
            await tybalt.log_out()

        run_async(conversation())

    def test_every_client_of_an_account_sees_the_whole_conversation(self):
        async def conversation():
            desk = await Client(self.server, "romeo", "desk").log_in()
            phone = await Client(self.server, "romeo", "phone").log_in()
            juliet = await Client(self.server, "juliet", "balcony").log_in()
            sent, received = [], []
            phone.add_event_handler(
                "carbon_sent", lambda m: sent.append(m["carbon_sent"]["body"]))
            phone.add_event_handler(
                "carbon_received", lambda m: received.append(m["carbon_received"]["body"]))
            await phone["xep_0280"].enable()
            desk.send_message(juliet.boundjid, "from the desk", mtype="chat")
            await until(lambda: juliet.bodies() == ["from the desk"])
            juliet.messages[0].reply("to the desk").send()
            await until(lambda: desk.bodies() == ["to the desk"])
            await until(lambda: (sent, received) == (["from the desk"], ["to the desk"]))
            await phone["xep_0280"].disable()
            desk.send_message(juliet.boundjid, "once more", mtype="chat")
            await until(lambda: "once more" in juliet.bodies())
            await phone["xep_0199"].send_ping("localhost")
            self.assertEqual(sent, ["from the desk"])
            for client in (desk, phone, juliet):
                await client.log_out()

        run_async(conversation())

    def test_who_is_blocked_is_not_heard(self):
        async def conversation():
            romeo = await Client(self.server, "romeo", "orchard").log_in()
            phone = await Client(self.server, "romeo", "phone").log_in()
            tybalt = await Client(self.server, "tybalt", "square").log_in()
            blocked, unblocked, refused = [], [], []
            tybalt.add_event_handler("message_error", refused.append)
            for event, pushes in (("blocked", blocked), ("unblocked", unblocked)):
                phone.add_event_handler(event, pushes.append)
            await phone["xep_0191"].get_blocked()
            await romeo["xep_0191"].block("tybalt@localhost")
            await until(lambda: len(blocked) == 1)
            self.assertEqual(blocked[0]["block"]["items"], {"tybalt@localhost"})
            answer = await romeo["xep_0191"].get_blocked()
            self.assertEqual(answer["blocklist"]["items"], {"tybalt@localhost"})
            tybalt.send_message("romeo@localhost", "villain", mtype="chat")
            await until(lambda: len(refused) == 1)
            self.assertEqual(refused[0]["error"]["condition"], "service-unavailable")
            with self.assertRaises(IqError) as caught:
                await romeo["xep_0199"].send_ping(tybalt.boundjid)
            self.assertEqual(caught.exception.condition, "not-acceptable")
            await romeo["xep_0191"].unblock("tybalt@localhost")
            await until(lambda: len(unblocked) == 1)
            tybalt.send_message("romeo@localhost", "good day", mtype="chat")
            await until(lambda: romeo.bodies() == ["good day"])
            for client in (romeo, phone, tybalt):
                await client.log_out()

        run_async(conversation())

    def test_every_client_finds_the_history_in_the_archive(self):
        async def conversation():
            romeo = await Client(self.server, "romeo", "orchard").log_in()
            tybalt = await Client(self.server, "tybalt", "square").log_in()
            mam = tybalt["xep_0313"]
            info = await tybalt["xep_0030"].get_info("tybalt@localhost")
            for feature in ("urn:xmpp:mam:2", "urn:xmpp:mam:2#extended", "urn:xmpp:sid:0",
                            "urn:xmpp:message-retract:1#tombstone"):
                self.assertIn(feature, info["disco_info"]["features"])
            fields = (await mam.get_fields()).get_fields()
            self.assertLessEqual({"with", "start", "end", "before-id", "after-id", "ids"}, set(fields))

            words = [f"word {number}" for number in range(25)]
            for word in words:
                romeo.send_message(tybalt.boundjid, word, mtype="chat")
            await until(lambda: len(tybalt.messages) >= 25)
            given = [message["stanza_id"]["id"] for message in tybalt.messages[-25:]]

            # Several pages, forwards and backwards.
            found = [result async for result in mam.iterate(with_jid="romeo@localhost")]
            archived = [result["mam_result"]["forwarded"]["stanza"] for result in found]
            self.assertEqual([message["body"] for message in archived][-25:], words)
            self.assertEqual([result["mam_result"]["id"] for result in found][-25:], given)
            backwards = [result["mam_result"]["forwarded"]["stanza"]["body"] async for result in
                         mam.iterate(with_jid="romeo@localhost", reverse=True, total=25)]
            self.assertEqual(backwards, words[::-1])
            stamp = found[-1]["mam_result"]["forwarded"]["delay"]["stamp"]
            since = await mam.retrieve(start=stamp)
            self.assertEqual(since["mam"]["results"][-1]["mam_result"]["id"], given[-1])
            ends = await mam.get_archive_metadata()
            self.assertEqual(ends["mam_metadata"]["end"]["id"], given[-1])
            self.assertEqual(ends["mam_metadata"]["end"]["timestamp"], stamp)
            with self.assertRaises(IqError) as caught:
                await mam.retrieve(jid="romeo@localhost")
            self.assertEqual(caught.exception.condition, "forbidden")

            # The sender takes the last one back.
            retraction = romeo.make_message("tybalt@localhost", "I take it back", mtype="chat")
            ElementTree.SubElement(retraction.xml, "{urn:xmpp:message-retract:1}retract",
                                   id=tybalt.messages[-1]["id"])
            retraction.send()
            await until(lambda: tybalt.messages[-1]["id"] == retraction["id"])
            stone = None
            while stone is None:
                since = await mam.retrieve(start=stamp)
                found = next(result["mam_result"]["forwarded"]["stanza"]
                             for result in since["mam"]["results"]
                             if result["mam_result"]["id"] == given[-1])
                stone = found.xml.find("{urn:xmpp:message-retract:1}retracted")
            self.assertEqual(found["body"], "")
            self.assertEqual(stone.get("id"), retraction["id"])

            # And then nothing of his is kept any more.
            end = (await mam.get_archive_metadata())["mam_metadata"]["end"]["id"]
            default, _, _ = await tybalt["xep_0441"].get_preferences()
            self.assertEqual(default, "always")
            await tybalt["xep_0441"].set_preferences(default="always", always=[],
                                                     never=["romeo@localhost"])
            romeo.send_message(tybalt.boundjid, "off the record", mtype="chat")
            await until(lambda: tybalt.bodies()[-1] == "off the record")
            ends = await mam.get_archive_metadata()
            self.assertEqual(ends["mam_metadata"]["end"]["id"], end)
            await romeo.log_out()
            await tybalt.log_out()

        run_async(conversation())

    def test_an_inactive_client_is_left_in_peace(self):
        async def conversation():
            nurse = await Client(self.server, "nurse", "home").log_in()
            tybalt = await Client(self.server, "tybalt", "square").log_in()
            self.assertTrue(nurse["xep_0352"].enabled)
            nurse.presences.clear()
            nurse["xep_0352"].send_inactive()
            # Answered after the server knows.
            await nurse["xep_0199"].send_ping("localhost")
            for status in ("one", "two", "three"):
                tybalt.send_presence(pto=nurse.boundjid, pstatus=status)
            await tybalt["xep_0199"].send_ping("localhost")
            self.assertEqual(nurse.presences, [])
            tybalt.send_message(nurse.boundjid, "hello", mtype="chat")
            await until(lambda: nurse.bodies() == ["hello"])
            self.assertEqual([p["status"] for p in nurse.presences], ["three"])
            tybalt.send_presence(pto=nurse.boundjid, pstatus="four")
            await tybalt["xep_0199"].send_ping("localhost")
            nurse["xep_0352"].send_active()
            await until(lambda: [p["status"] for p in nurse.presences] == ["three", "four"])
            await nurse.log_out()
            await tybalt.log_out()

        run_async(conversation())

    def test_registration_password_change_and_removal(self):
        async def conversation():
            new = Client(self.server, "mercutio", "inn", password="queen mab herself")
            new["xep_0077"].create_account = True
            # This release of slixmpp would keep the request until after the login.
            new._always_send_everything = True

            async def register(_):
                iq = new.Iq()
                iq["type"] = "set"
                iq["register"]["username"] = "mercutio"
                iq["register"]["password"] = "queen mab herself"
                await iq.send()

            new.add_event_handler("register", register)
            await new.log_in()
            await new["xep_0077"].change_password("a plague on both", jid="localhost")
            await new.log_out()
            again = await Client(self.server, "mercutio", "inn", password="a plague on both").log_in()
            await again["xep_0077"].cancel_registration()
            await asyncio.wait_for(again.ended.wait(), PATIENCE_S)
            gone = Client(self.server, "mercutio", "inn", password="a plague on both")
            gone.connect(("127.0.0.1", self.server.port))
            await asyncio.wait_for(gone.ended.wait(), PATIENCE_S)
            self.assertFalse(gone.ready.is_set())

        run_async(conversation())

    def test_the_server_describes_itself(self):
        async def conversation():
            nurse = await Client(self.server, "nurse", "home").log_in()
            info = await nurse["xep_0030"].get_info("localhost")
            features = info["disco_info"]["features"]
            for feature in ("urn:xmpp:ping", "vcard-temp", "jabber:iq:version", "urn:xmpp:time",
                            "http://jabber.org/protocol/disco#info", "msgoffline",
                            "urn:xmpp:blocking", "urn:xmpp:carbons:2", "urn:xmpp:sid:0"):
                self.assertIn(feature, features)
            version = await nurse["xep_0092"].get_version("localhost")
            self.assertEqual(version["software_version"]["name"], "Parley")
            await nurse["xep_0202"].get_entity_time("localhost")
            await nurse.log_out()

        run_async(conversation())

    def test_what_was_stored_survives_a_kill(self):
        server = LiveServer(FOLDER).start()
        self.addCleanup(server.close)
        server.add_user("romeo")
        server.add_user("juliet")

        async def before():
            romeo = await Client(server, "romeo", "orchard").log_in()
            for number in range(20):
                romeo.send_message("juliet@localhost", f"kept {number}", mtype="chat")
            # Answered after all of them were taken; they are committed before the next kill.
            await romeo.update_roster("juliet@localhost", name="Juliet")
            await until(lambda: "messages_stored_total" in server.ctl("stats").stdout
                        and " 20 " in next(line for line in server.ctl("stats").stdout.splitlines()
                                           if line.startswith("messages_stored_total")))

        run_async(before())
        server.kill()
        server.start()

        async def after():
            juliet = await Client(server, "juliet", "balcony").log_in()
            await until(lambda: len(juliet.messages) == 20)
            self.assertEqual(juliet.bodies(), [f"kept {number}" for number in range(20)])
            romeo = await Client(server, "romeo", "orchard").log_in()
            self.assertEqual(romeo.client_roster["juliet@localhost"]["name"], "Juliet")

        run_async(after())
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    run_tests(__name__)
