/* A TLS 1.3 server of NSS's that serves delegated credentials, by the calls that the format `nss` names. It listens on a
 * port of the system's choosing, serves one connection after the other, says on stdout how each ended, and ends when its
 * stdin does.
 *
 *   pqdc-nss-server DATABASE NICKNAME [DC DC_KEY]
 *
 * The leaf and its key are in the database under that nickname, without a password; DC is a file of the credential's
 * bytes, DC_KEY of its key, PKCS#8 DER. It prints
 *
 *   refused ERROR STEP    the files are not taken, and nothing is served
 *   listening PORT
 *   accepted SCHEME       the code point of the CertificateVerify, four hexadecimal digits
 *   failed ERROR
 *
 * where ERROR is NSS's name, such as SSL_ERROR_NO_CYPHER_OVERLAP.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cert.h>
#include <keyhi.h>
#include <nspr.h>
#include <nss.h>
#include <pk11pub.h>
#include <ssl.h>
#include <sslproto.h>

enum { SECONDS_PER_STEP = 10, LARGEST_FILE = 1 << 20 };

static const char PAGE[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n";

static const char *error_name(void) {
  const char *name = PR_ErrorToName(PR_GetError());
  return name ? name : "no error told";
}

static void refuse_if(int failed, const char *step) {
  if (failed) {
    printf("refused %s %s\n", error_name(), step);
    exit(1);
  }
}

static SECItem read_file(const char *path) {
  SECItem item = {siBuffer, malloc(LARGEST_FILE), 0};
  FILE *file = fopen(path, "rb");
  if (!file || !item.data || !(item.len = fread(item.data, 1, LARGEST_FILE, file))) {
    fprintf(stderr, "%s cannot be read, or is empty\n", path);
    exit(2);
  }
  fclose(file);
  return item;
}

/* The key becomes an object of the session alone: nothing is added to the database. */
static SECKEYPrivateKey *import_key(const char *path) {
  SECItem item = read_file(path);
  SECKEYPrivateKey *key = NULL;
  PK11SlotInfo *slot = PK11_GetInternalSlot();
  SECStatus status =
      PK11_ImportDERPrivateKeyInfoAndReturnKey(slot, &item, NULL, NULL, PR_FALSE, PR_FALSE, KU_ALL, &key, NULL);
  refuse_if(status != SECSuccess, "the credential's key");
  PK11_FreeSlot(slot);
  free(item.data);
  return key;
}

/* The socket that those of all connections are modelled after. */
static PRFileDesc *configure(const char *nickname, const char *dc_path, const char *dc_key_path) {
  CERTCertificate *leaf = PK11_FindCertFromNickname(nickname, NULL);
  refuse_if(!leaf, "leaf");
  SECKEYPrivateKey *key = PK11_FindKeyByAnyCert(leaf, NULL);
  refuse_if(!key, "the leaf's key");
  PRFileDesc *model = SSL_ImportFD(NULL, PR_NewTCPSocket());
  const SSLVersionRange tls13 = {SSL_LIBRARY_VERSION_TLS_1_3, SSL_LIBRARY_VERSION_TLS_1_3};
  refuse_if(SSL_OptionSet(model, SSL_HANDSHAKE_AS_SERVER, PR_TRUE) || SSL_OptionSet(model, SSL_NO_CACHE, PR_TRUE) ||
                SSL_VersionRangeSet(model, &tls13),
            "options");
  SECStatus status;
  if (dc_path) {
    SECItem dc = read_file(dc_path);
    SSLExtraServerCertData extra = {ssl_auth_null, NULL, NULL, NULL, &dc, import_key(dc_key_path)};
    status = SSL_ConfigServerCert(model, leaf, key, &extra, sizeof(extra));
    free(dc.data);
  } else {
    status = SSL_ConfigServerCert(model, leaf, key, NULL, 0);
  }
  refuse_if(status != SECSuccess, "certificate and credential");
  return model;
}

static void serve(PRFileDesc *model, PRFileDesc *connection) {
  const PRIntervalTime limit = PR_SecondsToInterval(SECONDS_PER_STEP);
  PRFileDesc *tls = SSL_ImportFD(model, connection);
  SSL_ResetHandshake(tls, PR_TRUE);
  if (SSL_ForceHandshakeWithTimeout(tls, limit) != SECSuccess) {
    printf("failed %s\n", error_name());
  } else {
    SSLChannelInfo info = {0};
    SSL_GetChannelInfo(tls, &info, sizeof(info));
    char request[4096];
    if (PR_Recv(tls, request, sizeof(request), 0, limit) > 0) {
      PR_Send(tls, PAGE, sizeof(PAGE) - 1, 0, limit);
    }
    printf("accepted %04x\n", (unsigned)info.signatureScheme);
  }
  PR_Close(tls);
}

static PRFileDesc *listen_somewhere(void) {
  PRFileDesc *listener = PR_NewTCPSocket();
  PRNetAddr address;
  PR_InitializeNetAddr(PR_IpAddrLoopback, 0, &address);
  if (PR_Bind(listener, &address) || PR_Listen(listener, 16) || PR_GetSockName(listener, &address)) {
    fprintf(stderr, "listening: %s\n", error_name());
    exit(2);
  }
  printf("listening %d\n", PR_ntohs(address.inet.port));
  return listener;
}

static void *end_with_stdin(void *unused) {
  char ignored[256];
  while (read(STDIN_FILENO, ignored, sizeof(ignored)) > 0) {
  }
  _exit(0);
  return unused;
}

int main(int argc, char **argv) {
  if (argc != 3 && argc != 5) {
    fprintf(stderr, "usage: %s DATABASE NICKNAME [DC DC_KEY]\n", argv[0]);
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  refuse_if(NSS_Init(argv[1]) != SECSuccess, "database");
  PRFileDesc *model = configure(argv[2], argc == 5 ? argv[3] : NULL, argc == 5 ? argv[4] : NULL);
  PRFileDesc *listener = listen_somewhere();
  pthread_t watcher;
  pthread_create(&watcher, NULL, end_with_stdin, NULL);
  for (;;) {
    PRFileDesc *connection = PR_Accept(listener, NULL, PR_INTERVAL_NO_TIMEOUT);
    if (connection) {
      serve(model, connection);
    }
  }
}
