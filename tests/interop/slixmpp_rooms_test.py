"""Rooms (XEP-0045) with slixmpp: the whole life of one, over a restart of the server."""

import asyncio
import unittest

from slixmpp.exceptions import IqError, PresenceError

from live_server import LiveServer, run_tests
from slixmpp_test import Client, run_async, until

FOLDER = None
PATIENCE_S = 60
ROOM = "coven@rooms.localhost"


class Guest(Client):
    """Keeps what it hears in rooms."""

    def __init__(self, server, name, resource):
        super().__init__(server, name, resource)
        self.said = []
        self.subjects = []
        self.invitations = []
        self.seen = []
        self.register_plugin("xep_0045")
        self.register_plugin("xep_0421")
        self.add_event_handler("groupchat_message", self.said.append)
        self.add_event_handler("groupchat_subject", self.subjects.append)
        self.add_event_handler("groupchat_invite", self.invitations.append)
        self.add_event_handler("groupchat_presence", self.seen.append)

    @property
    def rooms(self):
        return self["xep_0045"]

    async def enter(self, nick, **how):
        return await asyncio.wait_for(self.rooms.join_muc_wait(ROOM, nick, **how), PATIENCE_S)

    def texts(self):
        return [message["body"] for message in self.said]

    def codes(self):
        """Of the last presence that came from the room, as a set of numbers."""
        return set(self.seen[-1]["muc"]["status_codes"])


class RoomsTest(unittest.TestCase):
    def setUp(self):
        self.server = LiveServer(FOLDER).start()
        self.addCleanup(self.server.close)
        for name in ("romeo", "juliet", "nurse", "tybalt"):
            self.server.add_user(name)

    def test_a_room_lives(self):
        run_async(self.first_day())
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        run_async(self.second_day())
        self.assertEqual(self.server.stop(), 0)

    async def first_day(self):
        romeo = await Guest(self.server, "romeo", "orchard").log_in()
        items = await romeo["xep_0030"].get_items("localhost")
        self.assertIn("rooms.localhost", [item[0] for item in items["disco_items"]["items"]])

        # Made, configured.
        await romeo.enter("Romeo")
        self.assertEqual(romeo.codes(), {110, 170, 201})
        form = await romeo.rooms.get_room_config(ROOM)
        values = form.get_values()
        self.assertEqual(values["muc#roomconfig_roomowners"], ["romeo@localhost"])
        form["values"] = values | {"muc#roomconfig_roomname": "A Dark Cave",
                                   "muc#roomconfig_persistentroom": True}
        await romeo.rooms.set_room_config(ROOM, form)
        info = await romeo["xep_0030"].get_info(ROOM)
        self.assertIn("muc_persistent", info["disco_info"]["features"])
        listed = await romeo["xep_0030"].get_items("rooms.localhost")
        self.assertEqual([(item[0], item[2]) for item in listed["disco_items"]["items"]],
                         [(ROOM, "A Dark Cave")])

        # Entered, talked in.
        juliet = await Guest(self.server, "juliet", "balcony").log_in()
        with self.assertRaises(PresenceError) as refused:
            await juliet.enter("romeo")
        self.assertEqual(refused.exception.condition, "conflict")
        await juliet.enter("Juliet")
        self.assertEqual(sorted(juliet.rooms.get_roster(ROOM)), ["Juliet", "Romeo"])
        message = juliet.make_message(ROOM, "Ay me!", mtype="groupchat")
        message["id"] = "m1"
        message.send()
        await until(lambda: romeo.texts() == ["Ay me!"] and juliet.texts() == ["Ay me!"])
        self.assertEqual(romeo.said[0]["id"], "m1")
        self.assertEqual(romeo.said[0]["from"].full, ROOM + "/Juliet")
        self.assertEqual(romeo.said[0]["stanza_id"]["id"], juliet.said[0]["stanza_id"]["id"])
        self.assertEqual(romeo.said[0]["stanza_id"]["by"], ROOM)
        romeo.rooms.set_subject(ROOM, "Moonlight")
        await until(lambda: juliet.subjects[-1]["subject"] == "Moonlight")
        juliet.send_message(ROOM + "/Romeo", "psst", mtype="chat")
        await until(lambda: "psst" in romeo.bodies())

        # Somebody who is away is invited, and comes.
        romeo.rooms.invite(ROOM, "nurse@localhost", "Come along")
        nurse = await Guest(self.server, "nurse", "home").log_in()
        await until(lambda: nurse.invitations)
        await nurse.enter("Nurse", maxstanzas=10)
        await until(lambda: nurse.texts() == ["Ay me!"])
        self.assertEqual(nurse.subjects[-1]["subject"], "Moonlight")

        # Powers.
        with self.assertRaises(IqError) as refused:
            await nurse.rooms.set_role(ROOM, "Juliet", "none")
        self.assertEqual(refused.exception.condition, "forbidden")
        await romeo.rooms.set_affiliation(ROOM, "member", jid="nurse@localhost")
        self.assertEqual([str(jid) for jid in
                          await romeo.rooms.get_affiliation_list(ROOM, "member")],
                         ["nurse@localhost"])
        await romeo.rooms.set_role(ROOM, "Nurse", "none", reason="Begone")
        await until(lambda: nurse.codes() == {110, 307})
        await romeo.rooms.set_affiliation(ROOM, "outcast", jid="tybalt@localhost")
        tybalt = await Guest(self.server, "tybalt", "street").log_in()
        with self.assertRaises(PresenceError) as refused:
            await tybalt.enter("Tybalt")
        self.assertEqual(refused.exception.condition, "forbidden")
        for client in (romeo, juliet, nurse, tybalt):
            await client.log_out()

    async def second_day(self):
        juliet = await Guest(self.server, "juliet", "balcony").log_in()
        _, subject, _, _ = await juliet.enter("Juliet", maxstanzas=10)
        self.assertEqual(subject["subject"], "Moonlight")
        await until(lambda: juliet.texts() == ["Ay me!"])
        found = [result["mam_result"]["forwarded"]["stanza"]
                 async for result in juliet["xep_0313"].iterate(jid=ROOM)]
        self.assertIn("Ay me!", [stanza["body"] for stanza in found])
        tybalt = await Guest(self.server, "tybalt", "street").log_in()
        with self.assertRaises(PresenceError):
            await tybalt.enter("Tybalt")
        romeo = await Guest(self.server, "romeo", "orchard").log_in()
        with self.assertRaises(IqError):
            await juliet.rooms.destroy(ROOM)
        await romeo.rooms.destroy(ROOM, reason="It is the lark")
        await until(lambda: juliet.seen[-1]["type"] == "unavailable"
                    and juliet.seen[-1]["from"].full == ROOM + "/Juliet")
        with self.assertRaises(IqError) as gone:
            await romeo["xep_0030"].get_info(ROOM)
        self.assertEqual(gone.exception.condition, "item-not-found")
        for client in (romeo, juliet, tybalt):
            await client.log_out()


if __name__ == "__main__":
    run_tests(__name__)
