-- Prosody in the comparison. Started from the configuration that its package installs, which is what its
-- documentation recommends for a public server (https://prosody.im/doc/configure). Deviations:
--  * modules: those for what parleyd does too, so that all three do the same work; no federation;
--  * mod_limits is off: its 10kb/s per client would be what is measured. The limits of the others are off too;
--  * registration is open on loopback, to create the accounts, and without a rate limit (its default);
--  * tcp_backlog: what the kernel allows, as a storm of connections is part of what is measured
--    (https://prosody.im/doc/advanced_network); parleyd has 1024 per core;
--  * SCRAM-SHA-256 with 4096 rounds, as in the others; ejabberd fixes the 4096.
-- Defaults on purpose: storage "internal" (files), network_backend "epoll", log level info, the garbage
-- collector's settings.

pidfile = "@FOLDER@/prosody.pid"
data_path = "@FOLDER@/data"
daemonize = false

interfaces = { "127.0.0.1" }
c2s_ports = { @PORT@ }
c2s_direct_tls_ports = { @TLS_PORT@ }
network_settings = { tcp_backlog = 4096 }

modules_enabled = {
@MODULES@
}
modules_disabled = { "s2s" }

c2s_require_encryption = @TLS_REQUIRED@
allow_registration = true

authentication = "internal_hashed"
password_hash = "SHA-256"
default_iteration_count = 4096

log = {
	info = "@FOLDER@/prosody.log";
}

certificates = "@CERTIFICATES@"

VirtualHost "@DOMAIN@"

@COMPONENTS@
