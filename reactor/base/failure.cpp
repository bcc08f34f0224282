#include "reactor/base/failure.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace base {

// What a failure with a sentence points to. Immutable but for the count, so copies may cross
// threads.
struct Failure::Node {
    std::atomic<std::uint32_t> references{1};
    Errc code;
    std::string detail;
    std::string trace;

    Node(Errc node_code, std::string sentence) : code(node_code), detail(std::move(sentence)) {}

    static Node* from(std::uintptr_t bits) noexcept {
        return (bits & 1) != 0 ? nullptr : reinterpret_cast<Node*>(bits);
    }
    static std::uintptr_t tag(Errc code) noexcept {
        return static_cast<std::uintptr_t>(code) << 1 | 1;
    }
    static std::uintptr_t retain(std::uintptr_t bits) noexcept {
        if (Node* node = from(bits)) node->references.fetch_add(1, std::memory_order_relaxed);
        return bits;
    }
    static void release(std::uintptr_t bits) noexcept {
        Node* node = from(bits);
        if (node && node->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete node;
    }
};

std::string_view name_of(Errc code) noexcept {
    switch (code) {
        case Errc::cancelled:
            return "cancelled";
        case Errc::timed_out:
            return "timed_out";
        case Errc::broken_promise:
            return "broken_promise";
        case Errc::connection_done:
            return "connection_done";
        case Errc::connection_lost:
            return "connection_lost";
        case Errc::connection_aborted:
            return "connection_aborted";
        case Errc::connection_refused:
            return "connection_refused";
        case Errc::address_in_use:
            return "address_in_use";
        case Errc::tls_failed:
            return "tls_failed";
        case Errc::queue_full:
            return "queue_full";
        case Errc::closed:
            return "closed";
        case Errc::not_found:
            return "not_found";
        case Errc::already_exists:
            return "already_exists";
        case Errc::invalid_argument:
            return "invalid_argument";
        case Errc::permission_denied:
            return "permission_denied";
        case Errc::resource_exhausted:
            return "resource_exhausted";
        case Errc::no_space:
            return "no_space";
        case Errc::busy:
            return "busy";
        case Errc::io_error:
            return "io_error";
        case Errc::corrupt:
            return "corrupt";
        case Errc::too_new:
            return "too_new";
        case Errc::unsupported:
            return "unsupported";
        case Errc::internal:
            return "internal";
        case Errc::no_route:
            return "no_route";
        case Errc::empty_set:
            return "empty_set";
        case Errc::already_called:
            return "already_called";
        case Errc::already_cancelled:
            return "already_cancelled";
        case Errc::already_running:
            return "already_running";
        case Errc::not_running:
            return "not_running";
        case Errc::stopped:
            return "stopped";
        case Errc::would_deadlock:
            return "would_deadlock";
    }
    return "unknown";
}

Failure::Failure(Errc code) noexcept : bits_(Node::tag(code)) {}

Failure::Failure(Errc code, std::string detail)
    : bits_(detail.empty() ? Node::tag(code)
                           : reinterpret_cast<std::uintptr_t>(new Node(code, std::move(detail)))) {}

Failure::Failure(const Failure& other) noexcept : bits_(Node::retain(other.bits_)) {}

// The source keeps its code, so that a moved-from failure can still be asked and destroyed.
Failure::Failure(Failure&& other) noexcept
    : bits_(std::exchange(other.bits_, Node::tag(other.code()))) {}

Failure& Failure::operator=(const Failure& other) noexcept {
    const std::uintptr_t next = Node::retain(other.bits_);
    Node::release(std::exchange(bits_, next));
    return *this;
}

Failure& Failure::operator=(Failure&& other) noexcept {
    if (this == &other) return *this;
    const std::uintptr_t next = std::exchange(other.bits_, Node::tag(other.code()));
    Node::release(std::exchange(bits_, next));
    return *this;
}

Failure::~Failure() {
    Node::release(bits_);
}

Errc Failure::code() const noexcept {
    const Node* node = Node::from(bits_);
    return node ? node->code : static_cast<Errc>(bits_ >> 1);
}

std::string_view Failure::detail() const noexcept {
    const Node* node = Node::from(bits_);
    return node ? std::string_view(node->detail) : std::string_view();
}

std::string Failure::message() const {
    std::string text(name_of(code()));
    if (!detail().empty()) text.append(": ").append(detail());
    return text;
}

Failure Failure::with(std::string_view context) const {
    std::string text(context);
    if (!detail().empty()) text.append(": ").append(detail());
    Failure wrapped(code(), std::move(text));
    if (Node* node = Node::from(wrapped.bits_)) node->trace = trace();
    return wrapped;
}

Failure Failure::passed(std::string_view file, std::uint32_t line) const {
    const std::string hop = std::string(file) + ":" + std::to_string(line);
    if (trace().size() + hop.size() + 1 > kTraceMax) return *this;
    auto* node = new Node(code(), std::string(detail()));
    Failure copy(code());
    copy.bits_ = reinterpret_cast<std::uintptr_t>(node);
    node->trace = trace();
    if (!node->trace.empty()) node->trace.push_back('\n');
    node->trace.append(hop);
    return copy;
}

std::string_view Failure::trace() const noexcept {
    const Node* node = Node::from(bits_);
    return node ? std::string_view(node->trace) : std::string_view();
}

std::string Failure::traceback() const {
    std::string text = message();
    std::string_view rest = trace();
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        text.append("\n  at ").append(rest.substr(0, end));
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    return text;
}

namespace {

Errc code_from_errno(int error_number) noexcept {
    switch (error_number) {
        case ECANCELED:
            return Errc::cancelled;
        case ETIMEDOUT:
            return Errc::timed_out;
        case ECONNRESET:
        case EPIPE:
        case ENOTCONN:
        case ENETDOWN:
        case ENETRESET:
            return Errc::connection_lost;
        case ENETUNREACH:
        case EHOSTDOWN:
        case EHOSTUNREACH:
            return Errc::no_route;
        case ECONNABORTED:
            return Errc::connection_aborted;
        case ECONNREFUSED:
            return Errc::connection_refused;
        case EADDRINUSE:
            return Errc::address_in_use;
        case ENOENT:
        case ENODEV:
        case ESRCH:
            return Errc::not_found;
        case EEXIST:
            return Errc::already_exists;
        case EINVAL:
        case EBADF:
        case EDOM:
        case EADDRNOTAVAIL:
        case ENAMETOOLONG:
        case ENOTDIR:
        case EISDIR:
            return Errc::invalid_argument;
        case EACCES:
        case EPERM:
        case EROFS:
            return Errc::permission_denied;
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case ENOBUFS:
            return Errc::resource_exhausted;
        case ENOSPC:
        case EDQUOT:
            return Errc::no_space;
        case EBUSY:
        case EAGAIN:
            return Errc::busy;
        case EOPNOTSUPP:
        case ENOSYS:
        case EAFNOSUPPORT:
        case EPROTONOSUPPORT:
            return Errc::unsupported;
        default:
            return Errc::io_error;
    }
}

}  // namespace

Failure failure_from_errno(int error_number, std::string_view doing) {
    // glibc's strerror_r: thread safe, never fails; with a buffer of its own or a static text.
    char buffer[128];
    std::string text(doing);
    text.append(": ").append(strerror_r(error_number, buffer, sizeof buffer));
    return {code_from_errno(error_number), std::move(text)};
}

}  // namespace base
