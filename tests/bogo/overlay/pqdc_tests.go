package runner

import (
	"encoding/json"
	"os"
)

// What pqdc adds to BoGo, for a second runner beside the stock one (native/build_bogo.py tells what else differs):
// servers that show credentials which pqdc has minted, before this client; and the first connections of tests that
// go on to resume, which pqdc cannot.

// A pqdcCredential is one of the objects in the file that PQDC_CREDENTIALS names.
type pqdcCredential struct {
	Name        string
	Chain       [][]byte // DER, the leaf first
	ChainPath   string   // the same, for the shim
	KeyPath     string   // of the credential's private key
	Credential  []byte
	Algorithm   signatureAlgorithm // by which the leaf has signed it
	DCAlgorithm signatureAlgorithm // by which its key signs
	Error       string             // what this client says, if it must refuse
}

func init() {
	path := os.Getenv("PQDC_CREDENTIALS")
	if path == "" {
		return
	}
	encoded, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	var credentials []pqdcCredential
	if err := json.Unmarshal(encoded, &credentials); err != nil {
		panic(err)
	}
	for _, c := range credentials {
		shown := &Credential{
			Type:                CredentialTypeDelegated,
			Certificate:         c.Chain,
			ChainPath:           c.ChainPath,
			KeyPath:             c.KeyPath,
			DelegatedCredential: c.Credential,
		}
		test := testCase{
			testType: serverTest,
			name:     "PQDC-" + c.Name,
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
		testCases = append(testCases, test)
	}
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
