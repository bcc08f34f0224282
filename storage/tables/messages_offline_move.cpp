#include "storage/tables/messages_offline_move.h"

namespace storage {
namespace {

// A message keeps its stamp as its id, moved on just so far that ids are unique and in the order
// that messages came in: MAX(stored_at - n) + n grows with n and is never before stored_at. Ids
// that were given already (last_id) are passed by.
constexpr Migration kMigrations[] = {
    {1, R"(
CREATE TABLE offline_move (
    id BIGINT NOT NULL PRIMARY KEY,
    offline_id BIGINT NOT NULL,
    owner BIGINT NOT NULL
);
INSERT INTO message_owners
    (jid, peers, archived, segment, segment_rows, offline_messages, offline_bytes)
    SELECT DISTINCT account, 0, 0, 0, 0, 0, 0 FROM offline_stanzas
    WHERE account NOT IN (SELECT jid FROM message_owners WHERE jid IS NOT NULL);
INSERT INTO offline_move (id, offline_id, owner)
    SELECT CASE WHEN s.base > i.last_id THEN s.base ELSE i.last_id END + s.n, s.id, o.owner
    FROM (SELECT id, account, n, MAX(stored_at - n) OVER (ORDER BY n) AS base
        FROM (SELECT id, account, stored_at, ROW_NUMBER() OVER (ORDER BY id) AS n
            FROM offline_stanzas) AS numbered) AS s
    JOIN message_owners AS o ON o.jid = s.account
    JOIN message_ids AS i ON i.only_row = 1;
INSERT INTO messages (id, refs, from_resource, to_resource, stanza)
    SELECT m.id, 1, '', '', s.stanza
    FROM offline_move AS m JOIN offline_stanzas AS s ON s.id = m.offline_id;
INSERT INTO deliveries
    (session, sequence, id, owner, form, kept, counted, bytes, expires_at)
    SELECT -m.owner, m.id, m.id, m.owner, 0, 1, 1, LENGTH(s.stanza), s.expires_at
    FROM offline_move AS m JOIN offline_stanzas AS s ON s.id = m.offline_id;
UPDATE message_owners SET
    offline_messages = offline_messages
        + (SELECT COUNT(*) FROM offline_move AS m WHERE m.owner = message_owners.owner),
    offline_bytes = offline_bytes
        + (SELECT CAST(COALESCE(SUM(LENGTH(s.stanza)), 0) AS BIGINT)
            FROM offline_stanzas AS s WHERE s.account = message_owners.jid)
    WHERE owner IN (SELECT owner FROM offline_move);
UPDATE message_ids SET last_id = (SELECT MAX(id) FROM offline_move)
    WHERE EXISTS (SELECT 1 FROM offline_move);
DELETE FROM offline_stanzas;
DELETE FROM offline_totals;
DROP TABLE offline_move;
)"},
};

}  // namespace

constinit const StoreSchema kOfflineMoveSchema = {"offline_move", kMigrations, {}};

}  // namespace storage
