// XML namespace names, each under one spelling for the whole tree.
#pragma once

#include <string_view>

namespace xmpp::ns {

// RFC 6120, 6121 and XML itself.
inline constexpr std::string_view xml = "http://www.w3.org/XML/1998/namespace";
inline constexpr std::string_view client = "jabber:client";
inline constexpr std::string_view server = "jabber:server";
inline constexpr std::string_view stream = "http://etherx.jabber.org/streams";
inline constexpr std::string_view tls = "urn:ietf:params:xml:ns:xmpp-tls";
inline constexpr std::string_view sasl = "urn:ietf:params:xml:ns:xmpp-sasl";
inline constexpr std::string_view bind = "urn:ietf:params:xml:ns:xmpp-bind";
inline constexpr std::string_view session = "urn:ietf:params:xml:ns:xmpp-session";
inline constexpr std::string_view stanza_errors = "urn:ietf:params:xml:ns:xmpp-stanzas";
inline constexpr std::string_view stream_errors = "urn:ietf:params:xml:ns:xmpp-streams";
inline constexpr std::string_view roster = "jabber:iq:roster";
inline constexpr std::string_view roster_versions = "urn:xmpp:features:rosterver";
inline constexpr std::string_view pre_approval = "urn:xmpp:features:pre-approval";

// Extensions, by number.
inline constexpr std::string_view data_forms = "jabber:x:data";                            // 0004
inline constexpr std::string_view last_activity = "jabber:iq:last";                        // 0012
inline constexpr std::string_view disco_info = "http://jabber.org/protocol/disco#info";    // 0030
inline constexpr std::string_view disco_items = "http://jabber.org/protocol/disco#items";  // 0030
inline constexpr std::string_view address = "http://jabber.org/protocol/address";          // 0033
inline constexpr std::string_view muc = "http://jabber.org/protocol/muc";                  // 0045
inline constexpr std::string_view muc_user = "http://jabber.org/protocol/muc#user";        // 0045
inline constexpr std::string_view muc_admin = "http://jabber.org/protocol/muc#admin";      // 0045
inline constexpr std::string_view muc_owner = "http://jabber.org/protocol/muc#owner";      // 0045
inline constexpr std::string_view private_storage = "jabber:iq:private";                   // 0049
inline constexpr std::string_view commands = "http://jabber.org/protocol/commands";        // 0050
inline constexpr std::string_view vcard = "vcard-temp";                                    // 0054
inline constexpr std::string_view rsm = "http://jabber.org/protocol/rsm";                  // 0059
inline constexpr std::string_view pubsub = "http://jabber.org/protocol/pubsub";            // 0060
inline constexpr std::string_view pubsub_event = "http://jabber.org/protocol/pubsub#event";
inline constexpr std::string_view pubsub_owner = "http://jabber.org/protocol/pubsub#owner";
inline constexpr std::string_view pubsub_errors = "http://jabber.org/protocol/pubsub#errors";
inline constexpr std::string_view oob = "jabber:x:oob";                              // 0066
inline constexpr std::string_view xhtml_im = "http://jabber.org/protocol/xhtml-im";  // 0071
inline constexpr std::string_view registration = "jabber:iq:register";               // 0077
inline constexpr std::string_view registration_feature =
    "http://jabber.org/features/iq-register";                                             // 0077
inline constexpr std::string_view chat_states = "http://jabber.org/protocol/chatstates";  // 0085
inline constexpr std::string_view version = "jabber:iq:version";                          // 0092
inline constexpr std::string_view caps = "http://jabber.org/protocol/caps";               // 0115
inline constexpr std::string_view vcard_update = "vcard-temp:x:update";                   // 0153
inline constexpr std::string_view contact_addresses =
    "http://jabber.org/network/serverinfo";                                       // 0157
inline constexpr std::string_view receipts = "urn:xmpp:receipts";                 // 0184
inline constexpr std::string_view blocking = "urn:xmpp:blocking";                 // 0191
inline constexpr std::string_view blocking_errors = "urn:xmpp:blocking:errors";   // 0191
inline constexpr std::string_view stream_management = "urn:xmpp:sm:3";            // 0198
inline constexpr std::string_view ping = "urn:xmpp:ping";                         // 0199
inline constexpr std::string_view time = "urn:xmpp:time";                         // 0202
inline constexpr std::string_view delay = "urn:xmpp:delay";                       // 0203
inline constexpr std::string_view direct_invitation = "jabber:x:conference";      // 0249
inline constexpr std::string_view carbons = "urn:xmpp:carbons:2";                 // 0280
inline constexpr std::string_view forward = "urn:xmpp:forward:0";                 // 0297
inline constexpr std::string_view hashes = "urn:xmpp:hashes:2";                   // 0300
inline constexpr std::string_view correction = "urn:xmpp:message-correct:0";      // 0308
inline constexpr std::string_view archive = "urn:xmpp:mam:2";                     // 0313
inline constexpr std::string_view chat_markers = "urn:xmpp:chat-markers:0";       // 0333
inline constexpr std::string_view hints = "urn:xmpp:hints";                       // 0334
inline constexpr std::string_view client_state = "urn:xmpp:csi:0";                // 0352
inline constexpr std::string_view jingle_messages = "urn:xmpp:jingle-message:0";  // 0353
inline constexpr std::string_view stanza_ids = "urn:xmpp:sid:0";                  // 0359
inline constexpr std::string_view upload = "urn:xmpp:http:upload:0";              // 0363
inline constexpr std::string_view encryption = "urn:xmpp:eme:0";                  // 0380
inline constexpr std::string_view omemo = "eu.siacs.conversations.axolotl";       // 0384
inline constexpr std::string_view sasl2 = "urn:xmpp:sasl:2";                      // 0388
inline constexpr std::string_view references = "urn:xmpp:reference:0";            // 0372
inline constexpr std::string_view reporting = "urn:xmpp:reporting:1";             // 0377
inline constexpr std::string_view occupant_ids = "urn:xmpp:occupant-id:0";        // 0421
inline constexpr std::string_view fastening = "urn:xmpp:fasten:0";                // 0422
inline constexpr std::string_view retraction = "urn:xmpp:message-retract:1";      // 0424
inline constexpr std::string_view moderation = "urn:xmpp:message-moderate:1";     // 0425
inline constexpr std::string_view fallback = "urn:xmpp:fallback:0";               // 0428
inline constexpr std::string_view channel_binding = "urn:xmpp:sasl-cb:0";         // 0440
inline constexpr std::string_view reactions = "urn:xmpp:reactions:0";             // 0444
inline constexpr std::string_view replies = "urn:xmpp:reply:0";                   // 0461
inline constexpr std::string_view stream_limits = "urn:xmpp:stream-limits:0";     // 0478
/// Application-specific error conditions (XEP-0182, XEP-0205).
inline constexpr std::string_view app_errors = "urn:xmpp:errors";

/// The constant above that equals `name`, or an empty view.
std::string_view find_known(std::string_view name) noexcept;

}  // namespace xmpp::ns
