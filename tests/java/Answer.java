// BouncyCastle as a second opinion: one request a line on stdin, one answer a line on stdout, bytes in hex.
//
//   generate ALGORITHM             -> SPKI PKCS#8
//   sign PKCS#8 MESSAGE            -> SIGNATURE
//   verify SPKI MESSAGE SIGNATURE  -> true or false

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Security;
import java.security.Signature;
import java.security.SignatureException;
import java.util.HexFormat;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

public class Answer {
    static final HexFormat HEX = HexFormat.of();

    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            System.out.println(answer(line.split(" ", -1)));
        }
    }

    static String answer(String[] request) throws Exception {
        switch (request[0]) {
            case "generate": {
                KeyPair pair = KeyPairGenerator.getInstance(request[1], "BC").generateKeyPair();
                return HEX.formatHex(pair.getPublic().getEncoded()) + " "
                    + HEX.formatHex(pair.getPrivate().getEncoded());
            }
            case "sign": {
                PrivateKey key = BouncyCastleProvider.getPrivateKey(PrivateKeyInfo.getInstance(HEX.parseHex(request[1])));
                Signature signer = Signature.getInstance(key.getAlgorithm(), "BC");
                signer.initSign(key);
                signer.update(HEX.parseHex(request[2]));
                return HEX.formatHex(signer.sign());
            }
            case "verify": {
                PublicKey key =
                    BouncyCastleProvider.getPublicKey(SubjectPublicKeyInfo.getInstance(HEX.parseHex(request[1])));
                Signature verifier = Signature.getInstance(key.getAlgorithm(), "BC");
                verifier.initVerify(key);
                verifier.update(HEX.parseHex(request[2]));
                try {
                    return String.valueOf(verifier.verify(HEX.parseHex(request[3])));
                } catch (SignatureException refused) {
                    return "false";
                }
            }
            default:
                throw new IllegalArgumentException(request[0]);
        }
    }
}
