/* The sizes of the toy, as NIST's call for proposals wants them in an api.h. */
#define CRYPTO_SECRETKEYBYTES 64
#define CRYPTO_PUBLICKEYBYTES 32
#define CRYPTO_BYTES 48
#define CRYPTO_ALGNAME "Toy"
