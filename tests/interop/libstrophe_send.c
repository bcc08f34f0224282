/* A client on libstrophe: logs in, sends one message, waits for its echo from the own account.
 * usage: libstrophe_send JID PASSWORD HOST PORT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strophe.h>

static int echoed = 0;

static int on_message(xmpp_conn_t *connection, xmpp_stanza_t *stanza, void *context)
{
    char *body = xmpp_message_get_body(stanza);
    (void)context;
    if (body != NULL && strcmp(body, "to myself") == 0) {
        echoed = 1;
        xmpp_disconnect(connection);
    }
    if (body != NULL)
        xmpp_free(xmpp_conn_get_context(connection), body);
    return 1;
}

static int on_certificate(const xmpp_tlscert_t *certificate, const char *error)
{
    (void)certificate;
    (void)error;
    return 1; /* Self-signed here. */
}

static void on_connection(xmpp_conn_t *connection, xmpp_conn_event_t event, int error,
                          xmpp_stream_error_t *stream_error, void *context)
{
    (void)error;
    (void)stream_error;
    if (event != XMPP_CONN_CONNECT) {
        xmpp_stop((xmpp_ctx_t *)context);
        return;
    }
    if (!xmpp_conn_is_secured(connection)) {
        fputs("the connection is not encrypted\n", stderr);
        xmpp_disconnect(connection);
        return;
    }
    xmpp_handler_add(connection, on_message, NULL, "message", NULL, NULL);
    xmpp_stanza_t *presence = xmpp_presence_new((xmpp_ctx_t *)context);
    xmpp_send(connection, presence);
    xmpp_stanza_release(presence);
    xmpp_stanza_t *message =
        xmpp_message_new((xmpp_ctx_t *)context, "chat", xmpp_conn_get_jid(connection), "m1");
    xmpp_message_set_body(message, "to myself");
    xmpp_send(connection, message);
    xmpp_stanza_release(message);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: libstrophe_send JID PASSWORD HOST PORT\n", stderr);
        return 2;
    }
    xmpp_initialize();
    xmpp_ctx_t *context = xmpp_ctx_new(NULL, xmpp_get_default_logger(XMPP_LEVEL_WARN));
    xmpp_conn_t *connection = xmpp_conn_new(context);
    xmpp_conn_set_jid(connection, argv[1]);
    xmpp_conn_set_pass(connection, argv[2]);
    xmpp_conn_set_certfail_handler(connection, on_certificate);
    xmpp_conn_set_flags(connection, XMPP_CONN_FLAG_MANDATORY_TLS);
    if (xmpp_connect_client(connection, argv[3], (unsigned short)atoi(argv[4]), on_connection,
                            context) == XMPP_EOK)
        xmpp_run(context);
    xmpp_conn_release(connection);
    xmpp_ctx_free(context);
    xmpp_shutdown();
    puts(echoed ? "echoed" : "no echo");
    return echoed ? 0 : 1;
}
