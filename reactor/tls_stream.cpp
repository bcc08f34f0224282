// TlsStream of tls.h. OpenSSL is asked, never told to wait: every call either moves on or says
// which readiness of the lower stream it needs, and that is armed. The observer above is only told
// from lower events or from the ready queue, so that no call re-enters.
#include "reactor/base/bytes.h"
#include "reactor/base/check.h"
#include "reactor/ready_signal.h"
#include "reactor/tls.h"
#include "reactor/tls_bio.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace reactor {
namespace {

using base::Errc;
using base::Failure;

constexpr std::size_t kRecordBytesMax = SSL3_RT_MAX_PLAIN_LENGTH;

// Where small buffers become one record. Used within one call only, hence one per thread.
thread_local std::array<std::byte, kRecordBytesMax> record_scratch;

// Before each transfer, for SSL_get_error. ERR_clear_error takes as long as a small transfer, even
// when there is nothing to clear.
void forget_errors() {
    if (ERR_peek_error() != 0) ERR_clear_error();
}

/// Walks a list of buffers in pieces of at most one record.
class Gather {
public:
    Gather(std::span<const ConstBuffer> buffers, std::size_t skip) : buffers_(buffers) {
        advance(skip);
    }
    /// The next bytes: in place when one buffer fills the record or is all there is.
    ConstBuffer next(std::size_t bytes_max) {
        ConstBuffer head = buffers_.front().subspan(offset_);
        if (head.size() >= bytes_max) return head.first(bytes_max);
        if (buffers_.size() == 1) return head;
        std::size_t size = 0;
        for (std::size_t i = 0; i < buffers_.size() && size < bytes_max; ++i) {
            const ConstBuffer from = i == 0 ? head : buffers_[i];
            const std::size_t count = std::min(from.size(), bytes_max - size);
            if (count > 0) std::memcpy(record_scratch.data() + size, from.data(), count);
            size += count;
        }
        return ConstBuffer(record_scratch).first(size);
    }
    void advance(std::size_t bytes) {
        offset_ += bytes;
        while (!buffers_.empty() && offset_ >= buffers_.front().size()) {
            offset_ -= buffers_.front().size();
            buffers_ = buffers_.subspan(1);
        }
    }
    bool done() const { return buffers_.empty(); }

private:
    std::span<const ConstBuffer> buffers_;
    std::size_t offset_ = 0;
};

// The ephemeral keys have done their work: nobody shall find them in memory later, which is what
// forward secrecy is about, and they are 0.4 KB of every idle connection. OpenSSL keeps them to the
// end; setting the type of a key empties it.
void wipe_ephemeral_keys(SSL* ssl) {
    for (const int which : {SSL_CTRL_GET_TMP_KEY, SSL_CTRL_GET_PEER_TMP_KEY}) {
        EVP_PKEY* found = nullptr;
        if (SSL_ctrl(ssl, which, 0, &found) != 1) continue;
        const OpenSslPtr<EVP_PKEY> key(found);
        EVP_PKEY_set_type(key.get(), EVP_PKEY_get_base_id(key.get()));
    }
    ERR_clear_error();
}

class OpenSslSession final : public TlsSession {
public:
    explicit OpenSslSession(OpenSslPtr<SSL_SESSION> session) : session_(std::move(session)) {}
    SSL_SESSION* get() const noexcept { return session_.get(); }

private:
    OpenSslPtr<SSL_SESSION> session_;
};

class OpenSslStream final : public TlsStream, private StreamObserver {
public:
    /// `context`: keeps what the callbacks of `ssl` read.
    OpenSslStream(std::unique_ptr<ByteStream> lower, OpenSslPtr<SSL> ssl,
                  std::shared_ptr<const void> context);
    ~OpenSslStream() override { close(); }

    IoResult try_read(std::span<std::byte> into) override;
    IoResult try_writev(std::span<const ConstBuffer> buffers) override;
    void set_observer(StreamObserver* observer) override { signal_.set_observer(observer); }
    void arm(Interest interest) override {
        signal_.arm(interest);
        if (state_ == State::fresh) advance();
        if (state_ != State::handshaking) wait_for(interest);
    }
    void disarm(Interest interest) override { signal_.disarm(interest); }
    void shutdown_write() override;
    void close() override;
    void abort() override;
    Endpoint peer() const override { return lower_.stream->peer(); }
    Endpoint local() const override { return lower_.stream->local(); }
    void detach() override;
    void attach(World& world) override;

    Deferred<void> handshake() override;
    bool established() const noexcept override { return state_ == State::open; }
    std::optional<Failure> failure() const override { return failure_; }
    TlsInfo info() const override { return established() ? info_of(ssl_.get()) : TlsInfo(); }
    base::Result<std::string> channel_binding(ChannelBinding type) const override;
    bool has_channel_binding(ChannelBinding type) const override {
        return established() && has_channel_binding_of(ssl_.get(), type);
    }
    std::optional<PeerCertificate> peer_certificate() const override {
        return established() ? peer_certificate_of(ssl_.get()) : std::nullopt;
    }
    std::unique_ptr<TlsSession> session() const override;

private:
    enum class State : std::uint8_t { fresh, handshaking, open, failed, closed };

    void on_ready(Interest interest) override;
    void advance();
    void settle(State state);
    void wait_for(Interest interest);
    bool may_transfer(IoResult& refusal);
    IoResult blocked_or_failed(int outcome, Interest& wants);
    void fail(int ssl_error);
    bool write_pending_record(IoResult& refusal);
    void send_close_notify();

    TlsLower lower_;  // Destroyed after ssl_, whose BIO may point here.
    std::shared_ptr<const void> context_;
    OpenSslPtr<SSL> ssl_;
    ReadySignal signal_;
    std::optional<Failure> failure_;
    std::unique_ptr<Promise<void>> promise_;  // Of `handshake()`.
    // Handed to OpenSSL, not yet all taken by the lower stream. Null: none.
    std::unique_ptr<std::string> pending_record_;
    std::uint16_t record_max_ = kRecordBytesMax;
    State state_ = State::fresh;
    Interest handshake_wants_ = Interest::readable;
    Interest read_wants_ = Interest::readable;
    Interest write_wants_ = Interest::writable;
    bool read_blocked_ = false;  // OpenSSL has no complete record; wait for the lower stream.
    bool input_ended_ = false;
    bool write_shut_ = false;
    bool close_notify_due_ = false;
};

OpenSslStream::OpenSslStream(std::unique_ptr<ByteStream> lower, OpenSslPtr<SSL> ssl,
                             std::shared_ptr<const void> context)
    : lower_{.stream = std::move(lower)}, context_(std::move(context)), ssl_(std::move(ssl)) {
    BIO* bio = ssl_ ? new_tls_bio(lower_) : nullptr;
    if (bio == nullptr) {
        ERR_clear_error();
        failure_ = Failure(Errc::resource_exhausted, "no memory for a TLS connection");
        state_ = State::failed;
    } else {
        SSL_set_bio(ssl_.get(), bio, bio);
    }
    lower_.stream->set_observer(this);
}

void OpenSslStream::advance() {
    state_ = State::handshaking;
    ERR_clear_error();
    aim(ssl_.get(), lower_);
    const int outcome = SSL_do_handshake(ssl_.get());
    if (outcome == 1) {
        // A client may have asked for smaller records (RFC 6066 §4).
        const int mode = SSL_SESSION_get_max_fragment_length(SSL_get0_session(ssl_.get()));
        if (mode >= 1 && mode <= 4) record_max_ = static_cast<std::uint16_t>(256U << mode);
        wipe_ephemeral_keys(ssl_.get());
        share_tls_bio(ssl_.get());
        return settle(State::open);
    }
    switch (const int error = SSL_get_error(ssl_.get(), outcome)) {
        case SSL_ERROR_WANT_READ:
            handshake_wants_ = Interest::readable;
            break;
        case SSL_ERROR_WANT_WRITE:
            handshake_wants_ = Interest::writable;
            break;
        default:
            return fail(error);
    }
    lower_.stream->arm(handshake_wants_);
}

void OpenSslStream::settle(State state) {
    state_ = state;
    if (auto promise = std::move(promise_)) {
        promise->resolve(failure_ ? base::Result<void>(std::unexpected(*failure_))
                                  : base::Result<void>());
    }
    for (const Interest interest : {Interest::readable, Interest::writable})
        if (signal_.armed(interest)) wait_for(interest);
}

// The handshake is over: has `interest` delivered when trying makes sense.
void OpenSslStream::wait_for(Interest interest) {
    if (state_ != State::open) return signal_.owe(interest);
    if (interest == Interest::writable) return lower_.stream->arm(write_wants_);
    const bool buffered = !read_blocked_ && SSL_has_pending(ssl_.get()) == 1;
    if (buffered || input_ended_) return signal_.owe(Interest::readable);
    lower_.stream->arm(read_wants_);
}

void OpenSslStream::on_ready(Interest interest) {
    if (interest == Interest::readable) lower_.maybe_more = true;
    if (state_ == State::handshaking) return advance();
    if (interest == read_wants_) read_blocked_ = false;
    if (close_notify_due_ && interest == Interest::writable) send_close_notify();
    const bool wakes_writer = interest == write_wants_;
    if (interest == read_wants_ && !signal_.deliver(Interest::readable)) return;
    if (wakes_writer) (void)signal_.deliver(Interest::writable);
}

void OpenSslStream::fail(int ssl_error) {
    const unsigned long first = ERR_peek_error();
    const bool truncated = ssl_error == SSL_ERROR_SSL && ERR_GET_LIB(first) == ERR_LIB_SSL &&
                           ERR_GET_REASON(first) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    std::string reason = take_openssl_error("unknown error");
    const char* const during = state_ == State::open ? "" : " during the TLS handshake";
    if (truncated) {
        // OpenSSL's alert may have failed on top; that is not what happened first.
        reason = std::string("the connection ended without close_notify") + during;
        failure_ = Failure(Errc::connection_lost, std::move(reason));
    } else if (ssl_error == SSL_ERROR_SYSCALL) {
        reason = std::string("the connection broke") + during;
        failure_ = Failure(lower_.error.value_or(Errc::connection_lost), std::move(reason));
    } else {
        const long verdict = SSL_get_verify_result(ssl_.get());
        if (state_ != State::open && verdict != X509_V_OK && SSL_is_server(ssl_.get()) == 0)
            reason += std::string(": ") + X509_verify_cert_error_string(verdict);
        failure_ = Failure(Errc::tls_failed, std::move(reason));
    }
    settle(State::failed);
}

// False with the answer in `refusal` while there is nothing to transfer on.
bool OpenSslStream::may_transfer(IoResult& refusal) {
    if (state_ == State::fresh || state_ == State::handshaking) advance();
    if (state_ == State::open) return true;
    refusal.maybe_more = false;
    if (state_ == State::handshaking) {
        refusal.status = IoStatus::would_block;
    } else {
        refusal.status = IoStatus::failed;
        refusal.error = failure_ ? failure_->code() : Errc::closed;
    }
    return false;
}

IoResult OpenSslStream::blocked_or_failed(int outcome, Interest& wants) {
    const int error = SSL_get_error(ssl_.get(), outcome);
    switch (error) {
        case SSL_ERROR_WANT_READ:
            wants = Interest::readable;
            break;
        case SSL_ERROR_WANT_WRITE:
            wants = Interest::writable;
            break;
        case SSL_ERROR_ZERO_RETURN:
            if (&wants == &read_wants_) {
                input_ended_ = true;
                return {.status = IoStatus::end_of_stream, .maybe_more = false};
            }
            // A write that failed behind the peer's close_notify, which OpenSSL names first.
            fail(SSL_ERROR_SYSCALL);
            return {.status = IoStatus::failed, .error = failure_->code(), .maybe_more = false};
        default:
            fail(error);
            return {.status = IoStatus::failed, .error = failure_->code(), .maybe_more = false};
    }
    return {.status = IoStatus::would_block, .maybe_more = false};
}

IoResult OpenSslStream::try_read(std::span<std::byte> into) {
    IoResult result;
    if (!may_transfer(result) || into.empty()) return result;
    read_wants_ = Interest::readable;
    aim(ssl_.get(), lower_);
    while (result.bytes < into.size()) {
        const std::span<std::byte> rest = into.subspan(result.bytes);
        std::size_t count = 0;
        forget_errors();
        const int outcome = SSL_read_ex(ssl_.get(), rest.data(), rest.size(), &count);
        if (outcome != 1) {
            const IoResult end = blocked_or_failed(outcome, read_wants_);
            read_blocked_ = end.status == IoStatus::would_block;
            if (result.bytes == 0) return end;
            // What ended the reading shows again on the next try.
            result.maybe_more = !read_blocked_;
            return result;
        }
        result.bytes += count;
        read_blocked_ = false;
        result.maybe_more = lower_.maybe_more || SSL_has_pending(ssl_.get()) == 1;
        if (!result.maybe_more) break;
    }
    return result;
}

// The copy in pending_record_ keeps the promise OpenSSL asks for (the same bytes again) without
// asking it of our callers, who may have dropped theirs meanwhile.
bool OpenSslStream::write_pending_record(IoResult& refusal) {
    aim(ssl_.get(), lower_);
    while (pending_record_ != nullptr) {
        std::size_t count = 0;
        forget_errors();
        const int outcome =
            SSL_write_ex(ssl_.get(), pending_record_->data(), pending_record_->size(), &count);
        if (outcome != 1) {
            refusal = blocked_or_failed(outcome, write_wants_);
            return false;
        }
        pending_record_->erase(0, count);
        if (pending_record_->empty()) pending_record_.reset();
    }
    return true;
}

IoResult OpenSslStream::try_writev(std::span<const ConstBuffer> buffers) {
    IoResult result;
    const bool nothing = std::ranges::all_of(buffers, [](ConstBuffer b) { return b.empty(); });
    if (nothing || !may_transfer(result)) return result;
    if (write_shut_) return {.status = IoStatus::failed, .error = Errc::closed};
    write_wants_ = Interest::writable;
    aim(ssl_.get(), lower_);
    if (pending_record_ != nullptr) {
        if (!write_pending_record(result)) return result;
        result.bytes = 1;  // The last byte of that record, which the caller still has.
    }
    for (Gather gather(buffers, result.bytes); !gather.done();) {
        const ConstBuffer record = gather.next(record_max_);
        std::size_t count = 0;
        forget_errors();
        const int outcome = SSL_write_ex(ssl_.get(), record.data(), record.size(), &count);
        if (outcome == 1) {
            result.bytes += count;
            gather.advance(count);
            continue;
        }
        const IoResult end = blocked_or_failed(outcome, write_wants_);
        if (end.status == IoStatus::would_block) {
            pending_record_ = std::make_unique<std::string>(base::as_text(record));
            result.bytes += record.size() - 1;
        }
        if (result.bytes == 0) return end;
        result.maybe_more = false;
        break;
    }
    return result;
}

void OpenSslStream::send_close_notify() {
    close_notify_due_ = false;
    IoResult refusal;
    if (write_pending_record(refusal)) {
        ERR_clear_error();
        const int outcome = SSL_shutdown(ssl_.get());
        if (outcome >= 0 || SSL_get_error(ssl_.get(), outcome) != SSL_ERROR_WANT_WRITE) {
            ERR_clear_error();
            return;
        }
    } else if (refusal.status != IoStatus::would_block) {
        return;
    }
    close_notify_due_ = true;
    lower_.stream->arm(Interest::writable);
}

void OpenSslStream::shutdown_write() {
    if (write_shut_ || state_ == State::failed || state_ == State::closed) return;
    write_shut_ = true;
    if (state_ == State::open) return send_close_notify();
    lower_.stream->shutdown_write();
}

void OpenSslStream::close() {
    if (state_ == State::closed) return;
    // Best effort: what does not fit into the lower stream now is not waited for.
    if (state_ == State::open && !write_shut_) send_close_notify();
    if (state_ != State::failed) failure_ = Failure(Errc::closed);
    lower_.stream->close();
    settle(State::closed);
}

void OpenSslStream::abort() {
    if (state_ == State::closed) return;
    failure_ = Failure(Errc::connection_aborted);
    lower_.stream->abort();
    settle(State::closed);
}

void OpenSslStream::detach() {
    CHECK(promise_ == nullptr);
    signal_.reset();
    lower_.stream->detach();
}

void OpenSslStream::attach(World& world) {
    lower_.stream->attach(world);
    lower_.stream->set_observer(this);
    if (state_ == State::open) share_tls_bio(ssl_.get());
    if (state_ == State::handshaking) lower_.stream->arm(handshake_wants_);
    if (close_notify_due_) lower_.stream->arm(Interest::writable);
}

Deferred<void> OpenSslStream::handshake() {
    CHECK(promise_ == nullptr);
    if (state_ == State::fresh) advance();
    if (state_ == State::open) return ready();
    if (state_ != State::handshaking) return failed(failure_.value_or(Failure(Errc::closed)));
    promise_ = std::make_unique<Promise<void>>();
    return promise_->deferred([this] { promise_.reset(); });
}

base::Result<std::string> OpenSslStream::channel_binding(ChannelBinding type) const {
    if (!established()) return base::fail(Errc::unsupported, "the TLS handshake is not done");
    return channel_binding_of(ssl_.get(), type);
}

// A copy: OpenSSL gives up the session of a connection that ends without a close, as a client's
// does whose network is gone. That is no reason on TLS 1.3, which has truncation detected above.
std::unique_ptr<TlsSession> OpenSslStream::session() const {
    if (ssl_ == nullptr || SSL_is_server(ssl_.get()) == 1) return nullptr;
    const SSL_SESSION* current = SSL_get0_session(ssl_.get());
    if (current == nullptr || SSL_SESSION_is_resumable(current) == 0) return nullptr;
    OpenSslPtr<SSL_SESSION> copy(SSL_SESSION_dup(current));
    return copy ? std::make_unique<OpenSslSession>(std::move(copy)) : nullptr;
}

bool is_ip_address(const std::string& name) {
    ASN1_OCTET_STRING* ip = a2i_IPADDRESS(name.c_str());
    ERR_clear_error();
    ASN1_OCTET_STRING_free(ip);
    return ip != nullptr;
}

// Which server we want: by SNI, and by name or address in its certificate.
bool set_server_name(SSL* ssl, const std::string& name, TlsVerify verify) {
    if (name.empty()) return verify != TlsVerify::chain_and_name;
    const bool is_ip = is_ip_address(name);
    if (!is_ip && SSL_set_tlsext_host_name(ssl, name.c_str()) != 1) return false;
    if (verify != TlsVerify::chain_and_name) return true;
    if (is_ip) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name.c_str()) == 1;
}

}  // namespace

std::unique_ptr<TlsStream> TlsStream::server(std::unique_ptr<ByteStream> lower,
                                             std::shared_ptr<const TlsServerContext> context) {
    OpenSslPtr<SSL> ssl(SSL_new(context->impl().fallback.get()));
    if (ssl) SSL_set_accept_state(ssl.get());
    return std::make_unique<OpenSslStream>(std::move(lower), std::move(ssl), std::move(context));
}

std::unique_ptr<TlsStream> TlsStream::client(std::unique_ptr<ByteStream> lower,
                                             std::shared_ptr<const TlsClientContext> context,
                                             std::string server_name,
                                             std::unique_ptr<TlsSession> session) {
    const TlsClientContext::Impl& impl = context->impl();
    OpenSslPtr<SSL> ssl(SSL_new(impl.context.get()));
    if (ssl) {
        SSL_set_connect_state(ssl.get());
        if (!set_server_name(ssl.get(), server_name, impl.verify)) {
            ssl.reset();
        } else if (session != nullptr) {
            // What cannot be resumed is no reason not to connect.
            if (SSL_set_session(ssl.get(), static_cast<OpenSslSession&>(*session).get()) != 1)
                ERR_clear_error();
        }
    }
    return std::make_unique<OpenSslStream>(std::move(lower), std::move(ssl), std::move(context));
}

}  // namespace reactor
