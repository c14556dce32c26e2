package runner

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/crypto/cryptobyte"
)

// What pqdc adds to BoGo, for a second runner beside the stock one (native/build_bogo.py tells what else differs):
// credentials that pqdc has minted, before BoGo's client; credentials that Go signs, before pqdc's client and server;
// and the first connections of tests that go on to resume, which pqdc cannot.

// The file that PQDC_CREDENTIALS names.
type pqdcFile struct {
	Minted []pqdcMinted
	Leaves []pqdcLeaf
}

type pqdcMinted struct {
	Name        string
	Chain       [][]byte // DER, the leaf first
	ChainPath   string   // the same, for the shim
	KeyPath     string   // of the credential's private key
	Credential  []byte
	Algorithm   signatureAlgorithm // by which the leaf has signed it
	DCAlgorithm signatureAlgorithm // by which its key signs
	Error       string             // what this client says, if it must refuse
}

type pqdcLeaf struct {
	Name      string
	Chain     [][]byte
	Key       []byte // PKCS#8
	RootPath  string
	Algorithm signatureAlgorithm
	Delegates bool // whether it has DelegationUsage
}

func init() {
	path := os.Getenv("PQDC_CREDENTIALS")
	if path == "" {
		return
	}
	var file pqdcFile
	encoded := pqdcMust(os.ReadFile(path))
	if err := json.Unmarshal(encoded, &file); err != nil {
		panic(err)
	}
	for _, minted := range file.Minted {
		testCases = append(testCases, minted.test())
	}
	for _, leaf := range file.Leaves {
		for _, role := range []string{"server", "client"} {
			testCases = append(testCases, leaf.tests(role)...)
		}
	}
}

// test is of a server that shows the credential.
func (c *pqdcMinted) test() testCase {
	shown := &Credential{
		Type:                CredentialTypeDelegated,
		Certificate:         c.Chain,
		ChainPath:           c.ChainPath,
		KeyPath:             c.KeyPath,
		DelegatedCredential: c.Credential,
	}
	return testCase{
		testType: serverTest,
		name:     "PQDC-Minted-" + c.Name,
		config: Config{
			MinVersion:                    VersionTLS13,
			MaxVersion:                    VersionTLS13,
			VerifySignatureAlgorithms:     []signatureAlgorithm{c.Algorithm},
			DelegatedCredentialAlgorithms: []signatureAlgorithm{c.DCAlgorithm},
		},
		shimCredentials:    []*Credential{shown},
		flags:              []string{"-expect-selected-credential", "0"},
		expectations:       connectionExpectations{peerCertificate: shown},
		skipHints:          true,
		shouldFail:         c.Error != "",
		expectedLocalError: c.Error,
	}
}

var pqdcAlgorithms = []signatureAlgorithm{
	signatureECDSAWithP256AndSHA256, signatureECDSAWithP384AndSHA384, signatureECDSAWithP521AndSHA512,
	signatureEd25519, signatureMLDSA44, signatureMLDSA65, signatureMLDSA87,
}

const (
	pqdcDay    = 24 * 60 * 60
	pqdcChosen = signatureMLDSA44 // of the credentials that must be refused
)

// A pqdcCase is a credential that Go signs for a role, and what its peer says of it.
type pqdcCase struct {
	name      string
	algorithm signatureAlgorithm
	lifetime  uint32
	context   string                         // in place of the role's
	swapped   bool                           // cred and algorithm, as the stock runner has them
	change    func(credential []byte) []byte // of what is signed already
	byLeaf    bool                           // the leaf's key proves the handshake
	taken     signatureAlgorithm             // in place of algorithm, in the peer's offer
	refusal   string                         // the peer's alert; empty if it must take it
	wrap      func(extension []byte) []byte  // of the whole extension
}

func (l *pqdcLeaf) tests(role string) []testCase {
	var cases []pqdcCase
	for _, algorithm := range pqdcAlgorithms {
		c := pqdcCase{name: fmt.Sprintf("%04x", uint16(algorithm)), algorithm: algorithm, lifetime: pqdcDay}
		if !l.Delegates {
			c.refusal = "illegal parameter"
		}
		cases = append(cases, c)
	}
	if l.Delegates {
		cases = append(cases, pqdcRefused(role)...)
	}
	var tests []testCase
	for _, c := range cases {
		tests = append(tests, l.test(role, c))
	}
	return tests
}

func pqdcRefused(role string) []pqdcCase {
	other := "client"
	if role == other {
		other = "server"
	}
	refused := []pqdcCase{
		{name: "Expired", lifetime: 60},
		{name: "TooLong", lifetime: 8 * pqdcDay},
		{name: "Swapped", swapped: true},
		{name: "OtherRole", context: other},
		{name: "SignatureChanged", change: func(dc []byte) []byte { dc[len(dc)-1] ^= 1; return dc }},
		{name: "LifetimeChanged", change: func(dc []byte) []byte { dc[3] ^= 1; return dc }},
		{name: "Trailing", change: func(dc []byte) []byte { return append(dc, 0) }, refusal: "error decoding message"},
		{name: "Twice", wrap: func(extension []byte) []byte { return append(extension, extension...) }},
		{name: "ByTheLeafsKey", byLeaf: true},
		{name: "NotTaken", taken: signatureECDSAWithP256AndSHA256},
		{name: "NotAskedFor", taken: 1, refusal: "unexpected message"},
	}
	for i := range refused {
		refused[i].algorithm = pqdcChosen
		if refused[i].lifetime == 0 {
			refused[i].lifetime = pqdcDay
		}
		if refused[i].refusal == "" {
			refused[i].refusal = "illegal parameter"
		}
	}
	return refused
}

// test has a client or server of Go's show the credential to pqdc's server or client.
func (l *pqdcLeaf) test(role string, c pqdcCase) testCase {
	leafKey := pqdcMust(x509.ParsePKCS8PrivateKey(l.Key)).(crypto.Signer)
	key := pqdcKey(c.algorithm)
	credential := l.sign(role, c, leafKey, key)
	extension := cryptobyte.NewBuilder(nil)
	extension.AddUint16(extensionDelegatedCredential)
	addUint16LengthPrefixedBytes(extension, credential)
	shown := extension.BytesOrPanic()
	if c.wrap != nil {
		shown = c.wrap(shown)
	}
	proof := &Credential{
		Type:                CredentialTypeX509,
		Certificate:         l.Chain,
		PrivateKey:          key,
		RootPath:            l.RootPath,
		SignatureAlgorithms: []signatureAlgorithm{c.algorithm},
	}
	if c.byLeaf {
		proof.PrivateKey, proof.SignatureAlgorithms = leafKey, []signatureAlgorithm{l.Algorithm}
	}
	test := testCase{
		testType: clientTest,
		name:     fmt.Sprintf("PQDC-Signed-%s-%s-%s", role, l.Name, c.name),
		config: Config{
			MinVersion: VersionTLS13,
			MaxVersion: VersionTLS13,
			Credential: proof,
			Bugs:       ProtocolBugs{SendExtensionOnCertificate: shown},
		},
		skipHints:  true,
		shouldFail: c.refusal != "",
	}
	if c.refusal != "" {
		test.expectedLocalError = "remote error: " + c.refusal
	}
	if role == "client" {
		test.testType = serverTest
		test.flags = append(test.flags, "-require-any-client-certificate")
	}
	taken := c.algorithm
	if c.taken != 0 {
		taken = c.taken
	}
	if taken != 1 {
		test.flags = append(test.flags, "-pqdc-dc-schemes", strconv.Itoa(int(taken)), "-pqdc-expect-dc")
	}
	return test
}

// sign makes a DelegatedCredential: RFC 9345 section 4.
func (l *pqdcLeaf) sign(role string, c pqdcCase, leafKey, key crypto.Signer) []byte {
	dc := cryptobyte.NewBuilder(nil)
	dc.AddUint32(c.lifetime)
	dc.AddUint16(uint16(c.algorithm))
	addUint24LengthPrefixedBytes(dc, pqdcMust(x509.MarshalPKIXPublicKey(key.Public())))
	cred, algorithm := dc.BytesOrPanic(), []byte{byte(l.Algorithm >> 8), byte(l.Algorithm)}
	context := role
	if c.context != "" {
		context = c.context
	}
	var message []byte
	for range 64 {
		message = append(message, ' ')
	}
	message = append(message, "TLS, "+context+" delegated credentials\x00"...)
	message = append(message, l.Chain[0]...)
	if c.swapped {
		message = append(append(message, algorithm...), cred...)
	} else {
		message = append(append(message, cred...), algorithm...)
	}
	signature := pqdcMust(signMessage(false, version{VersionTLS13}, leafKey, &Config{}, l.Algorithm, message))
	dc.AddUint16(uint16(l.Algorithm))
	addUint16LengthPrefixedBytes(dc, signature)
	credential := dc.BytesOrPanic()
	if c.change != nil {
		credential = c.change(credential)
	}
	return credential
}

func pqdcKey(algorithm signatureAlgorithm) crypto.Signer {
	switch algorithm {
	case signatureECDSAWithP256AndSHA256:
		return pqdcMust(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	case signatureECDSAWithP384AndSHA384:
		return pqdcMust(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	case signatureECDSAWithP521AndSHA512:
		return pqdcMust(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	case signatureMLDSA44:
		return pqdcMust(mldsa.GenerateKey(mldsa.MLDSA44()))
	case signatureMLDSA65:
		return pqdcMust(mldsa.GenerateKey(mldsa.MLDSA65()))
	case signatureMLDSA87:
		return pqdcMust(mldsa.GenerateKey(mldsa.MLDSA87()))
	default:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return pqdcMust(key, err)
	}
}

func pqdcMust[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// pqdcFirstConnections leaves out what comes after the first connection of each test, if PQDC_FIRST is set.
func pqdcFirstConnections() {
	if os.Getenv("PQDC_FIRST") == "" {
		return
	}
	for i := range testCases {
		testCases[i].resumeSession = false
		testCases[i].resumeRenewedSession = false
		testCases[i].expectResumeRejected = false
	}
}
