"""What is measured: workloads of parley-bots with their options, and which of a run's figures are shown.
Data only; the order is the order of the tables."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Metric:
    """`path`: where parley-bots' JSON has it. The shown value is the one there divided by `divisor`."""

    name: str
    title: str
    unit: str
    path: tuple
    divisor: float = 1
    lower_is_better: bool = True


# Logins a second while idle sessions come online: what the slowest of the three takes easily.
IDLE_RAMP = 250

MEMORY_PER_SESSION = Metric("memory_per_session", "memory per session", "KiB",
                            ("server_usage", "pss_per_session_bytes"), 1024)
MEMORY = Metric("memory", "memory of the server", "MiB", ("server_usage", "pss_bytes"), 1024 * 1024)
LOGINS = Metric("logins_per_s", "logins", "/s", ("figures", "storm_per_s"), lower_is_better=False)
RECONNECTS = Metric("reconnects_per_s", "logins, all at once", "/s",
                    ("figures", "reconnect_per_s"), lower_is_better=False)
CPU_PER_LOGIN = Metric("cpu_per_login", "server CPU per login", "ms",
                       ("server_usage", "cpu_us_per_login"), 1000)
MESSAGES = Metric("messages_per_s", "messages", "/s", ("rates", "messages_per_s"),
                  lower_is_better=False)
CPU_PER_MESSAGE = Metric("cpu_per_message", "server CPU per message", "µs",
                         ("server_usage", "cpu_us_per_message"))
P50 = Metric("p50", "latency, median", "ms", ("latency_ms", "p50"))
P99 = Metric("p99", "latency, p99", "ms", ("latency_ms", "p99"))
STORED = Metric("stored_per_s", "messages taken", "/s", ("figures", "stored_per_s"),
                lower_is_better=False)
COLLECTED = Metric("collected_per_s", "messages collected", "/s", ("figures", "collected_per_s"),
                   lower_is_better=False)
DELIVERIES = Metric("deliveries_per_s", "deliveries", "/s", ("rates", "messages_per_s"),
                    lower_is_better=False)
CPU_PER_DELIVERIES = Metric("cpu_per_100k_deliveries", "server CPU per 100,000 deliveries", "s",
                            ("server_usage", "cpu_us_per_message"), 10)
REENTRY = Metric("reentry", "entering a full room, median", "ms", ("figures", "reentry_p50_ms"))
P99_9 = Metric("p99_9", "latency, p99.9", "ms", ("latency_ms", "p99_9"))


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One workload as it is run. `security`: starttls or none. `timeout_s`: when it is given up."""

    name: str
    title: str
    workload: str
    users: int
    options: tuple
    metrics: tuple
    security: str = "starttls"
    timeout_s: int = 300

    def arguments(self):
        return [self.workload, "--users", str(self.users), "--security", self.security, *self.options]


def idle(users, duration):
    return Measurement(f"idle-{users}", f"{users:,} idle sessions over TLS", "idle", users,
                       ("--ramp", str(IDLE_RAMP), "--duration", duration),
                       (MEMORY_PER_SESSION, MEMORY))


def login(users):
    return Measurement("login", f"Login storm: {users:,} users, TLS and SCRAM each time", "login",
                       users, (), (LOGINS, CPU_PER_LOGIN, RECONNECTS))


def closed(name, users, under_way, duration, security="starttls"):
    """`under_way`: messages of each user; the workload's window is that of a pair."""
    how = "TLS" if security == "starttls" else "without TLS"
    title = f"Chat as fast as it goes, {how}: {users:,} users, {under_way} under way each"
    return Measurement(name, title, "chat", users,
                       ("--window", str(2 * under_way), "--duration", duration),
                       (MESSAGES, CPU_PER_MESSAGE, P99), security)


def latency(users, rate, duration):
    return Measurement(f"latency-{rate}", f"Chat at {rate:,} messages a second, TLS: {users:,} users",
                       "chat", users, ("--rate", str(rate), "--duration", duration),
                       (P50, P99, P99_9, CPU_PER_MESSAGE))


def offline(users, messages):
    """One of two users is absent."""
    return Measurement("offline", f"{messages} messages for each of {users // 2:,} absent users, who then "
                       "collect them", "offline", users, ("--set", f"messages={messages}"),
                       (STORED, COLLECTED, CPU_PER_MESSAGE))


def rooms(name, count, occupants, duration):
    """As fast as it goes, four messages under way in each room."""
    title = (f"{count} room{'s' if count > 1 else ''} of {occupants}, TLS: talk as fast as it goes")
    return Measurement(name, title, "muc", count * occupants,
                       ("--window", "4", "--set", f"rooms={count}", "--duration", duration),
                       (DELIVERIES, CPU_PER_DELIVERIES, P99))


def room_at_rate(occupants, rate, duration):
    return Measurement(f"room-{occupants}", f"A room of {occupants}, TLS: {rate} messages a second",
                       "muc", occupants, ("--rate", str(rate), "--duration", duration),
                       (P50, P99, REENTRY, CPU_PER_DELIVERIES))


FULL = (
    idle(1000, "3s"),
    idle(5000, "3s"),
    idle(10000, "3s"),
    login(2000),
    closed("chat", 200, 4, "8s"),
    closed("chat-1000", 1000, 1, "8s"),
    closed("chat-unencrypted", 200, 4, "8s", "none"),
    latency(1000, 1000, "10s"),
    latency(1000, 5000, "10s"),
    offline(1000, 50),
    rooms("room", 1, 200, "8s"),
    rooms("rooms", 50, 20, "8s"),
    room_at_rate(500, 10, "10s"),
)

# To see that everything works; the figures mean little.
QUICK = (
    idle(500, "2s"),
    login(200),
    closed("chat", 50, 4, "3s"),
    closed("chat-unencrypted", 50, 4, "3s", "none"),
    latency(100, 500, "3s"),
    offline(50, 20),
    rooms("room", 1, 40, "3s"),
)

# For registering all accounts.
REGISTER_S_MAX = 1800
