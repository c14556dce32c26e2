// A TLS 1.3 server of BoringSSL's that serves delegated credentials, as an experimenter would write it: stock API, and
// the files that pqdc writes. It listens on a port of the system's choosing, serves one connection after the other,
// says on stdout how each ended, and ends when its stdin does.
//
//   pqdc-boringssl-server [--delegated DC KEY CERTIFICATES | --certificate KEY CERTIFICATES]...
//
// Files are PEM or DER (a DC: its bytes), keys PKCS#8; the first credential that a client takes serves it. It prints
//
//   refused REASON STEP                  the files are not taken, and nothing is served
//   listening PORT
//   accepted delegated|certificate NAME  with the name of the CertificateVerify's scheme
//   failed REASON
//
// where REASON is BoringSSL's symbol, such as KEY_VALUES_MISMATCH.

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <openssl/pool.h>
#include <openssl/ssl.h>

namespace {

constexpr int kSecondsPerStep = 10;
constexpr char kPage[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n";
constexpr int kHandshakeRecord = 22, kCertificateVerify = 15;

using Bytes = std::string;

// Where an SSL_CREDENTIAL has a non-null pointer if it is delegated, which no API tells.
int g_delegated_index;

// The reason for the last failure; BoringSSL keeps the first on the bottom of a queue.
std::string Reason(const char *otherwise) {
  const uint32_t error = ERR_get_error();
  const char *symbol = error == 0 ? nullptr : ERR_reason_symbol_name(error);
  ERR_clear_error();
  return symbol == nullptr ? otherwise : symbol;
}

[[noreturn]] void Refuse(const char *step) {
  printf("refused %s %s\n", Reason("NO_REASON").c_str(), step);
  exit(1);
}

Bytes ReadFile(const char *path) {
  std::ifstream file(path, std::ios::binary);
  Bytes data((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file || data.empty()) {
    fprintf(stderr, "%s cannot be read, or is empty\n", path);
    exit(2);
  }
  return data;
}

// The bodies of a file's PEM blocks, or the file itself if it has none.
std::vector<Bytes> ReadBlocks(const char *path) {
  const Bytes data = ReadFile(path);
  bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(data.data(), static_cast<int>(data.size())));
  std::vector<Bytes> blocks;
  char *name, *header;
  uint8_t *body;
  long length;
  while (PEM_read_bio(bio.get(), &name, &header, &body, &length)) {
    blocks.emplace_back(reinterpret_cast<char *>(body), length);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(body);
  }
  ERR_clear_error();  // there is always one more block that is not there
  return blocks.empty() ? std::vector<Bytes>{data} : blocks;
}

bssl::UniquePtr<CRYPTO_BUFFER> Buffer(const Bytes &data) {
  return bssl::UniquePtr<CRYPTO_BUFFER>(
      CRYPTO_BUFFER_new(reinterpret_cast<const uint8_t *>(data.data()), data.size(), nullptr));
}

bssl::UniquePtr<EVP_PKEY> PrivateKey(const char *path) {
  const Bytes der = ReadBlocks(path)[0];
  CBS cbs;
  CBS_init(&cbs, reinterpret_cast<const uint8_t *>(der.data()), der.size());
  bssl::UniquePtr<EVP_PKEY> key(EVP_parse_private_key(&cbs));
  if (!key || CBS_len(&cbs) != 0) {
    Refuse("private key");
  }
  return key;
}

// Adds a credential; `dc` is null for one whose leaf's own key proves it. The chain comes first, for the others are
// checked against it.
void AddCredential(SSL_CTX *ctx, const char *dc, const char *key, const char *chain) {
  bssl::UniquePtr<SSL_CREDENTIAL> credential(dc ? SSL_CREDENTIAL_new_delegated() : SSL_CREDENTIAL_new_x509());
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> owned;
  std::vector<CRYPTO_BUFFER *> certificates;
  for (const Bytes &block : ReadBlocks(chain)) {
    owned.push_back(Buffer(block));
    certificates.push_back(owned.back().get());
  }
  if (!SSL_CREDENTIAL_set1_cert_chain(credential.get(), certificates.data(), certificates.size())) {
    Refuse("certificates");
  }
  if (dc && !SSL_CREDENTIAL_set1_delegated_credential(credential.get(), Buffer(ReadBlocks(dc)[0]).get())) {
    Refuse("delegated credential");
  }
  if (!SSL_CREDENTIAL_set1_private_key(credential.get(), PrivateKey(key).get())) {
    Refuse("private key");
  }
  static int is_delegated;
  SSL_CREDENTIAL_set_ex_data(credential.get(), g_delegated_index, dc ? &is_delegated : nullptr);
  if (!SSL_CTX_add1_credential(ctx, credential.get())) {
    Refuse("credential");
  }
}

// How the server has proved itself.
struct Proof {
  uint16_t scheme = 0;
  bool delegated = false;
};

// Notes the scheme of our CertificateVerify, whose first field it is, and whose key made it.
void NoteProof(int is_write, int, int content_type, const void *buf, size_t len, SSL *ssl, void *proof) {
  const uint8_t *message = static_cast<const uint8_t *>(buf);
  if (is_write && content_type == kHandshakeRecord && len >= 6 && message[0] == kCertificateVerify) {
    const SSL_CREDENTIAL *used = SSL_get0_selected_credential(ssl);  // only known while the handshake lasts
    *static_cast<Proof *>(proof) = {static_cast<uint16_t>(message[4] << 8 | message[5]),
                                    used && SSL_CREDENTIAL_get_ex_data(used, g_delegated_index)};
  }
}

void Serve(SSL_CTX *ctx, int fd) {
  bssl::UniquePtr<SSL> ssl(SSL_new(ctx));
  Proof proof;
  SSL_set_fd(ssl.get(), fd);
  SSL_set_msg_callback(ssl.get(), NoteProof);
  SSL_set_msg_callback_arg(ssl.get(), &proof);
  if (SSL_accept(ssl.get()) != 1) {
    printf("failed %s\n", Reason("CONNECTION_CLOSED").c_str());
    return;
  }
  char request[4096];
  if (SSL_read(ssl.get(), request, sizeof(request)) > 0) {
    SSL_write(ssl.get(), kPage, sizeof(kPage) - 1);
  }
  SSL_shutdown(ssl.get());
  ERR_clear_error();
  const char *name = SSL_get_signature_algorithm_name(proof.scheme, /*include_curve=*/1);
  printf("accepted %s %s\n", proof.delegated ? "delegated" : "certificate", name ? name : "unknown");
}

int Listen() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (listener < 0 || bind(listener, reinterpret_cast<sockaddr *>(&address), size) || listen(listener, 16) ||
      getsockname(listener, reinterpret_cast<sockaddr *>(&address), &size)) {
    perror("listening");
    exit(2);
  }
  printf("listening %d\n", ntohs(address.sin_port));
  return listener;
}

void EndWithStdin() {
  char ignored[256];
  while (read(STDIN_FILENO, ignored, sizeof(ignored)) > 0) {
  }
  _exit(0);
}

}  // namespace

int main(int argc, char **argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  signal(SIGPIPE, SIG_IGN);
  g_delegated_index = SSL_CREDENTIAL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  bssl::UniquePtr<SSL_CTX> ctx(SSL_CTX_new(TLS_with_buffers_method()));
  SSL_CTX_set_min_proto_version(ctx.get(), TLS1_3_VERSION);
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--delegated") && i + 3 < argc) {
      AddCredential(ctx.get(), argv[i + 1], argv[i + 2], argv[i + 3]);
      i += 3;
    } else if (!strcmp(argv[i], "--certificate") && i + 2 < argc) {
      AddCredential(ctx.get(), nullptr, argv[i + 1], argv[i + 2]);
      i += 2;
    } else if (!strcmp(argv[i], "--version")) {
      printf("%s\n", OpenSSL_version(OPENSSL_VERSION));
      return 0;
    } else {
      fprintf(stderr, "unknown or incomplete argument: %s\n", argv[i]);
      return 2;
    }
  }
  const int listener = Listen();
  std::thread(EndWithStdin).detach();
  for (;;) {
    const int fd = accept(listener, nullptr, nullptr);
    if (fd < 0) {
      continue;
    }
    const timeval limit = {kSecondsPerStep, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    Serve(ctx.get(), fd);
    close(fd);
  }
}
