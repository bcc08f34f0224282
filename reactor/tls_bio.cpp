#include "reactor/tls_bio.h"

#include <array>

namespace reactor {
namespace {

TlsLower& lower_of(BIO* bio) {
    return *static_cast<TlsLower*>(BIO_get_data(bio));
}

// The stream below may speak TLS itself and have used the shared BIO meanwhile.
void take_back(BIO* bio, TlsLower& lower) {
    BIO_set_data(bio, &lower);
    BIO_clear_retry_flags(bio);
}

int read(BIO* bio, char* data, std::size_t size, std::size_t* count) {
    TlsLower& lower = lower_of(bio);
    *count = 0;
    const IoResult result = lower.stream->try_read(std::as_writable_bytes(std::span(data, size)));
    take_back(bio, lower);
    lower.maybe_more = result.status == IoStatus::ok && result.maybe_more;
    switch (result.status) {
        case IoStatus::ok:
            *count = result.bytes;
            return 1;
        case IoStatus::would_block:
            BIO_set_retry_read(bio);
            return -1;
        case IoStatus::end_of_stream:
            lower.ended = true;
            return 0;
        case IoStatus::failed:
            lower.error = result.error;
            return -1;
    }
    return -1;
}

int write(BIO* bio, const char* data, std::size_t size, std::size_t* count) {
    TlsLower& lower = lower_of(bio);
    *count = 0;
    const std::array<ConstBuffer, 1> buffers{std::as_bytes(std::span(data, size))};
    const IoResult result = lower.stream->try_writev(buffers);
    take_back(bio, lower);
    switch (result.status) {
        case IoStatus::ok:
            *count = result.bytes;
            return 1;
        case IoStatus::would_block:
            BIO_set_retry_write(bio);
            return -1;
        case IoStatus::end_of_stream:
            lower.error = base::Errc::connection_lost;
            return -1;
        case IoStatus::failed:
            lower.error = result.error;
            return -1;
    }
    return -1;
}

long control(BIO* bio, int command, long, void*) {
    switch (command) {
        case BIO_CTRL_FLUSH:
            return 1;
        case BIO_CTRL_EOF:
            return lower_of(bio).ended ? 1 : 0;
        default:
            return 0;
    }
}

const BIO_METHOD* method() {
    static const BIO_METHOD* const made = [] {
        BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "byte stream");
        if (fresh == nullptr) return fresh;
        BIO_meth_set_read_ex(fresh, read);
        BIO_meth_set_write_ex(fresh, write);
        BIO_meth_set_ctrl(fresh, control);
        return fresh;
    }();
    return made;
}

// Aimed at nothing: it has no state but the outcome of the last call.
BIO* thread_bio() {
    thread_local const OpenSslPtr<BIO> shared(method() == nullptr ? nullptr : BIO_new(method()));
    if (shared != nullptr) BIO_set_init(shared.get(), 1);
    return shared.get();
}

}  // namespace

BIO* new_tls_bio(TlsLower& lower) {
    BIO* bio = method() == nullptr ? nullptr : BIO_new(method());
    if (bio == nullptr) return nullptr;
    BIO_set_data(bio, &lower);
    BIO_set_init(bio, 1);
    return bio;
}

// Not before the handshake is done: until then OpenSSL chains a buffer in front of the BIO.
void share_tls_bio(SSL* ssl) {
    BIO* const shared = thread_bio();
    if (shared == nullptr || SSL_get_rbio(ssl) == shared) return;
    if (BIO_up_ref(shared) != 1) return;
    SSL_set0_rbio(ssl, shared);
    if (BIO_up_ref(shared) == 1) SSL_set0_wbio(ssl, shared);
}

}  // namespace reactor
