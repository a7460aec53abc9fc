// The server's certificate: self-signed, for this computer, and its thumbprints.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"time"
)

// certificate reads the file, or makes a new certificate and keeps it there when a file is named.
func certificate(path string) (tls.Certificate, map[string]string) {
	data, err := os.ReadFile(path)
	if err != nil {
		data = newCertificate()
		if path != "" {
			check(os.WriteFile(path, data, 0o600))
		}
	}
	pair, err := tls.X509KeyPair(data, data)
	check(err)
	sha1Sum, sha256Sum := sha1.Sum(pair.Certificate[0]), sha256.Sum256(pair.Certificate[0])
	return pair, map[string]string{"sha1": colons(sha1Sum[:]), "sha256": colons(sha256Sum[:])}
}

func newCertificate() []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	check(err)
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "localhost", Organization: []string{"Simulated vCenter"}},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().AddDate(1, 0, 0),
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(err)
	private, err := x509.MarshalECPrivateKey(key)
	check(err)
	return append(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
}

func colons(sum []byte) string {
	return strings.ReplaceAll(strings.TrimSpace(fmt.Sprintf("% X", sum)), " ", ":")
}
