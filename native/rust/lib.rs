//! The crates ml-dsa, slh-dsa and fn-dsa behind NIST's call interface, each scheme under a prefix of its own:
//!
//!     size_t PREFIX_crypto_sign_publickeybytes(void), _secretkeybytes(void), _bytes(void), _seedbytes(void);
//!     int PREFIX_crypto_sign_keypair(uint8_t *pk, uint8_t *sk);
//!     int PREFIX_crypto_sign_seed_keypair(uint8_t *pk, uint8_t *sk, const uint8_t *seed);
//!     int PREFIX_crypto_sign_signature(uint8_t *sig, size_t *siglen, const uint8_t *m, size_t mlen, const uint8_t *sk);
//!     int PREFIX_crypto_sign_verify(const uint8_t *sig, size_t siglen, const uint8_t *m, size_t mlen, const uint8_t *pk);
//!
//! and `_signature_ctx`, `_verify_ctx`, which take `const uint8_t *ctx, size_t ctxlen` after the message. They return 0,
//! or -1 for everything that is not well, a panic among it. Randomness is the system's; signing is hedged.

use core::slice;
use fn_dsa::{DOMAIN_NONE, FN_DSA_LOGN_1024, FN_DSA_LOGN_512, HASH_ID_RAW};
use fn_dsa::{DomainContext, KeyPairGenerator, SigningKey as _, VerifyingKey as _};
use std::panic::{catch_unwind, set_hook, AssertUnwindSafe};
use std::sync::Once;
use zeroize::Zeroizing;

/// One scheme, its keys and signatures as bytes of these lengths.
trait Scheme {
    const PUBLIC_KEY: usize;
    const SECRET_KEY: usize;
    const SIGNATURE: usize;
    const SEED: usize;

    fn keypair(seed: &[u8], public: &mut [u8], secret: &mut [u8]) -> Option<()>;
    fn sign(signature: &mut [u8], message: &[u8], context: &[u8], secret: &[u8]) -> Option<()>;
    fn verify(signature: &[u8], message: &[u8], context: &[u8], public: &[u8]) -> Option<()>;
}

/// ML-DSA of FIPS 204; the secret key is the expanded one.
struct MlDsa<P>(P);

impl<P: ml_dsa::MlDsaParams + Lengths> Scheme for MlDsa<P> {
    const PUBLIC_KEY: usize = P::PUBLIC_KEY;
    const SECRET_KEY: usize = P::SECRET_KEY;
    const SIGNATURE: usize = P::SIGNATURE;
    const SEED: usize = 32;

    #[allow(deprecated)] // the expanded form is what this interface carries
    fn keypair(seed: &[u8], public: &mut [u8], secret: &mut [u8]) -> Option<()> {
        let seed = Zeroizing::new(ml_dsa::Seed::try_from(seed).ok()?);
        let key = ml_dsa::SigningKey::<P>::from_seed(&seed);
        let expanded = Zeroizing::new(key.expanded_key().to_expanded());
        public.copy_from_slice(&ml_dsa::Keypair::verifying_key(&key).encode());
        secret.copy_from_slice(expanded.as_slice());
        Some(())
    }

    #[allow(deprecated)]
    fn sign(signature: &mut [u8], message: &[u8], context: &[u8], secret: &[u8]) -> Option<()> {
        let secret = Zeroizing::new(secret.try_into().ok()?);
        let key = ml_dsa::ExpandedSigningKey::<P>::from_expanded(&secret);
        let made = key.sign_randomized(message, context, &mut getrandom::SysRng).ok()?;
        signature.copy_from_slice(&made.encode());
        Some(())
    }

    fn verify(signature: &[u8], message: &[u8], context: &[u8], public: &[u8]) -> Option<()> {
        let key = ml_dsa::VerifyingKey::<P>::decode(&public.try_into().ok()?);
        let signature = ml_dsa::Signature::<P>::try_from(signature).ok()?;
        key.verify_with_context(message, context, &signature).then_some(())
    }
}

/// What the crate ml-dsa knows only as types.
trait Lengths {
    const PUBLIC_KEY: usize;
    const SECRET_KEY: usize;
    const SIGNATURE: usize;
}

impl Lengths for ml_dsa::MlDsa44 {
    const PUBLIC_KEY: usize = 1312;
    const SECRET_KEY: usize = 2560;
    const SIGNATURE: usize = 2420;
}

impl Lengths for ml_dsa::MlDsa65 {
    const PUBLIC_KEY: usize = 1952;
    const SECRET_KEY: usize = 4032;
    const SIGNATURE: usize = 3309;
}

impl Lengths for ml_dsa::MlDsa87 {
    const PUBLIC_KEY: usize = 2592;
    const SECRET_KEY: usize = 4896;
    const SIGNATURE: usize = 4627;
}

/// SLH-DSA of FIPS 205, with hashes of N bytes; the seed is SK.seed, SK.prf, PK.seed.
struct SlhDsa<P, const N: usize, const SIGNATURE: usize>(P);

impl<P: slh_dsa::ParameterSet, const N: usize, const SIGNATURE: usize> Scheme for SlhDsa<P, N, SIGNATURE> {
    const PUBLIC_KEY: usize = 2 * N;
    const SECRET_KEY: usize = 4 * N;
    const SIGNATURE: usize = SIGNATURE;
    const SEED: usize = 3 * N;

    fn keypair(seed: &[u8], public: &mut [u8], secret: &mut [u8]) -> Option<()> {
        let (sk_seed, rest) = seed.split_at(N);
        let (sk_prf, pk_seed) = rest.split_at(N);
        let key = slh_dsa::SigningKey::<P>::slh_keygen_internal(sk_seed, sk_prf, pk_seed);
        let bytes = Zeroizing::new(key.to_bytes());
        public.copy_from_slice(&bytes[2 * N..]);
        secret.copy_from_slice(&bytes);
        Some(())
    }

    fn sign(signature: &mut [u8], message: &[u8], context: &[u8], secret: &[u8]) -> Option<()> {
        let key = slh_dsa::SigningKey::<P>::try_from(secret).ok()?;
        let mut random = [0; N];
        getrandom::fill(&mut random).ok()?;
        let made = key.try_sign_with_context(message, context, Some(&random)).ok()?;
        signature.copy_from_slice(&made.to_bytes());
        Some(())
    }

    fn verify(signature: &[u8], message: &[u8], context: &[u8], public: &[u8]) -> Option<()> {
        let key = slh_dsa::VerifyingKey::<P>::try_from(public).ok()?;
        let signature = slh_dsa::Signature::<P>::try_from(signature).ok()?;
        key.try_verify_with_context(message, context, &signature).ok()
    }
}

/// FN-DSA as the crate expects FIPS 206 to be, of degree 2^LOGN.
struct FnDsa<const LOGN: u32>;

impl<const LOGN: u32> Scheme for FnDsa<LOGN> {
    const PUBLIC_KEY: usize = fn_dsa::vrfy_key_size(LOGN);
    const SECRET_KEY: usize = fn_dsa::sign_key_size(LOGN);
    const SIGNATURE: usize = fn_dsa::signature_size(LOGN);
    const SEED: usize = 32;

    fn keypair(seed: &[u8], public: &mut [u8], secret: &mut [u8]) -> Option<()> {
        fn_dsa::KeyPairGeneratorStandard::default().keygen(LOGN, &mut Draws::First(seed), secret, public);
        Some(())
    }

    fn sign(signature: &mut [u8], message: &[u8], context: &[u8], secret: &[u8]) -> Option<()> {
        let mut key = fn_dsa::SigningKeyStandard::decode(secret)?;
        key.sign(&mut Draws::System, &domain(context)?, &HASH_ID_RAW, message, signature)
    }

    fn verify(signature: &[u8], message: &[u8], context: &[u8], public: &[u8]) -> Option<()> {
        let key = fn_dsa::VerifyingKeyStandard::decode(public)?;
        key.verify(signature, &domain(context)?, &HASH_ID_RAW, message).then_some(())
    }
}

fn domain(context: &[u8]) -> Option<DomainContext<'_>> {
    match context.len() {
        0 => Some(DOMAIN_NONE),
        1..=255 => Some(DomainContext(context)),
        _ => None,
    }
}

/// What fn-dsa draws: the system's randomness, or a seed, of which it takes all at once.
enum Draws<'a> {
    System,
    First(&'a [u8]),
}

impl fn_dsa::CryptoRng for Draws<'_> {}

impl fn_dsa::RngCore for Draws<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        match self {
            Draws::System => getrandom::fill(bytes).expect("no randomness"),
            Draws::First(seed) => {
                bytes.copy_from_slice(seed);
                *self = Draws::First(&[]); // a second draw panics: no key is made of less than a seed
            }
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), fn_dsa::RngError> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

/// 0 if `work` did it, and -1 if it did not, or panicked; nothing is printed.
fn status(work: impl FnOnce() -> Option<()>) -> i32 {
    static SILENCE: Once = Once::new();
    SILENCE.call_once(|| set_hook(Box::new(|_| {})));
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Some(())) => 0,
        _ => -1,
    }
}

/// `count` bytes that a caller lends; a null pointer may stand for none.
unsafe fn given<'a>(bytes: *const u8, count: usize) -> &'a [u8] {
    if count == 0 {
        &[]
    } else {
        slice::from_raw_parts(bytes, count)
    }
}

unsafe fn keypair<S: Scheme>(public: *mut u8, secret: *mut u8, seed: &[u8]) -> Option<()> {
    let public = slice::from_raw_parts_mut(public, S::PUBLIC_KEY);
    S::keypair(seed, public, slice::from_raw_parts_mut(secret, S::SECRET_KEY))
}

fn random_seed<S: Scheme>() -> Option<Zeroizing<Vec<u8>>> {
    let mut seed = Zeroizing::new(vec![0; S::SEED]);
    getrandom::fill(&mut seed).ok()?;
    Some(seed)
}

macro_rules! export {
    ($($prefix:literal: $scheme:ty,)*) => {$(
        const _: () = {
            type This = $scheme;

            #[export_name = concat!($prefix, "_crypto_sign_publickeybytes")]
            extern "C" fn public_key_bytes() -> usize {
                This::PUBLIC_KEY
            }

            #[export_name = concat!($prefix, "_crypto_sign_secretkeybytes")]
            extern "C" fn secret_key_bytes() -> usize {
                This::SECRET_KEY
            }

            #[export_name = concat!($prefix, "_crypto_sign_bytes")]
            extern "C" fn signature_bytes() -> usize {
                This::SIGNATURE
            }

            #[export_name = concat!($prefix, "_crypto_sign_seedbytes")]
            extern "C" fn seed_bytes() -> usize {
                This::SEED
            }

            #[export_name = concat!($prefix, "_crypto_sign_keypair")]
            unsafe extern "C" fn new_keypair(pk: *mut u8, sk: *mut u8) -> i32 {
                status(|| keypair::<This>(pk, sk, &random_seed::<This>()?))
            }

            #[export_name = concat!($prefix, "_crypto_sign_seed_keypair")]
            unsafe extern "C" fn seed_keypair(pk: *mut u8, sk: *mut u8, seed: *const u8) -> i32 {
                status(|| keypair::<This>(pk, sk, given(seed, This::SEED)))
            }

            #[export_name = concat!($prefix, "_crypto_sign_signature_ctx")]
            unsafe extern "C" fn signature_ctx(
                sig: *mut u8, siglen: *mut usize, m: *const u8, mlen: usize, ctx: *const u8, ctxlen: usize, sk: *const u8,
            ) -> i32 {
                status(|| {
                    let signature = slice::from_raw_parts_mut(sig, This::SIGNATURE);
                    This::sign(signature, given(m, mlen), given(ctx, ctxlen), given(sk, This::SECRET_KEY))?;
                    *siglen = This::SIGNATURE;
                    Some(())
                })
            }

            #[export_name = concat!($prefix, "_crypto_sign_signature")]
            unsafe extern "C" fn signature(
                sig: *mut u8, siglen: *mut usize, m: *const u8, mlen: usize, sk: *const u8,
            ) -> i32 {
                signature_ctx(sig, siglen, m, mlen, core::ptr::null(), 0, sk)
            }

            #[export_name = concat!($prefix, "_crypto_sign_verify_ctx")]
            unsafe extern "C" fn verify_ctx(
                sig: *const u8, siglen: usize, m: *const u8, mlen: usize, ctx: *const u8, ctxlen: usize, pk: *const u8,
            ) -> i32 {
                status(|| This::verify(given(sig, siglen), given(m, mlen), given(ctx, ctxlen), given(pk, This::PUBLIC_KEY)))
            }

            #[export_name = concat!($prefix, "_crypto_sign_verify")]
            unsafe extern "C" fn verify(
                sig: *const u8, siglen: usize, m: *const u8, mlen: usize, pk: *const u8,
            ) -> i32 {
                verify_ctx(sig, siglen, m, mlen, core::ptr::null(), 0, pk)
            }
        };
    )*};
}

export! {
    "mldsa44": MlDsa<ml_dsa::MlDsa44>,
    "mldsa65": MlDsa<ml_dsa::MlDsa65>,
    "mldsa87": MlDsa<ml_dsa::MlDsa87>,
    "slhdsa_sha2_128s": SlhDsa<slh_dsa::Sha2_128s, 16, 7856>,
    "slhdsa_sha2_128f": SlhDsa<slh_dsa::Sha2_128f, 16, 17088>,
    "slhdsa_sha2_192s": SlhDsa<slh_dsa::Sha2_192s, 24, 16224>,
    "slhdsa_sha2_192f": SlhDsa<slh_dsa::Sha2_192f, 24, 35664>,
    "slhdsa_sha2_256s": SlhDsa<slh_dsa::Sha2_256s, 32, 29792>,
    "slhdsa_sha2_256f": SlhDsa<slh_dsa::Sha2_256f, 32, 49856>,
    "slhdsa_shake_128s": SlhDsa<slh_dsa::Shake128s, 16, 7856>,
    "slhdsa_shake_128f": SlhDsa<slh_dsa::Shake128f, 16, 17088>,
    "slhdsa_shake_192s": SlhDsa<slh_dsa::Shake192s, 24, 16224>,
    "slhdsa_shake_192f": SlhDsa<slh_dsa::Shake192f, 24, 35664>,
    "slhdsa_shake_256s": SlhDsa<slh_dsa::Shake256s, 32, 29792>,
    "slhdsa_shake_256f": SlhDsa<slh_dsa::Shake256f, 32, 49856>,
    "fndsa512": FnDsa<FN_DSA_LOGN_512>,
    "fndsa1024": FnDsa<FN_DSA_LOGN_1024>,
}
