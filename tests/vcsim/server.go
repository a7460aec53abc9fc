// The SDK's address: the library's handler behind one that counts calls, fails on demand, and sets headers and cookies
// as a vCenter does.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
)

const cookieName = "vmware_soap_session"

var methodName = regexp.MustCompile(`<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)`)

// failure is what the next calls get.
type failure struct {
	Status int     `json:"status"` // 0: the connection is cut
	Count  int     `json:"count"`
	Method string  `json:"method"` // "": any
	Delay  float64 `json:"delay"`  // seconds before; with status 200 only the delay
}

type sdkServer struct {
	service *simulator.Service
	mu      sync.Mutex
	fails   []*failure
	calls   map[string]int
}

var sdk *sdkServer

func serveSDK(service *simulator.Service, listener net.Listener) map[string]string {
	service.RegisterSDK(simulator.Map)
	sdk = &sdkServer{service: service, calls: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/sdk", sdk.serve)
	mux.HandleFunc("/sdk/", sdk.serve)
	mux.HandleFunc("/sdk/vimServiceVersions.xml", serveVersions)
	server := &http.Server{Handler: mux, ErrorLog: log.Default(), TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}}
	if !opt.tls {
		go func() { check(server.Serve(listener)) }()
		return nil
	}
	certificate, thumbprints := certificate(opt.cert)
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	go func() { check(server.ServeTLS(listener, "", "")) }()
	return thumbprints
}

// take finds the failure that a call shall get, and uses it up.
func (s *sdkServer) take(method string) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[method]++
	for i, f := range s.fails {
		if f.Method != "" && f.Method != method {
			continue
		}
		taken := *f
		if f.Count--; f.Count <= 0 {
			s.fails = append(s.fails[:i], s.fails[i+1:]...)
		}
		return &taken
	}
	return nil
}

func (s *sdkServer) serve(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	method := ""
	if found := methodName.FindSubmatch(data); found != nil {
		method = string(found[1])
	}
	if f := s.take(method); f != nil {
		time.Sleep(time.Duration(f.Delay * float64(time.Second)))
		switch f.Status {
		case http.StatusOK:
		case 0:
			panic(http.ErrAbortHandler)
		default:
			w.WriteHeader(f.Status)
			return
		}
	}
	key := ""
	if cookie, err := r.Cookie(cookieName); err == nil {
		key = cookie.Value
	}
	end := sessions.begin(key)
	defer end()
	go func(gone <-chan struct{}) { // who hung up no longer keeps the session busy
		<-gone
		end()
	}(r.Context().Done())

	r.Body = io.NopCloser(bytes.NewReader(data))
	r.URL.Path = "/sdk"
	answer := &held{header: http.Header{}, status: http.StatusOK}
	s.service.ServeSDK(answer, r)
	log.Printf("%s %d %d bytes", method, answer.status, answer.body.Len())
	answer.send(w, r)
}

// held keeps an answer until its headers are right.
type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *held) Header() http.Header                { return h.header }
func (h *held) WriteHeader(status int)             { h.status = status }
func (h *held) Write(data []byte) (n int, e error) { return h.body.Write(data) }

func (h *held) send(w http.ResponseWriter, r *http.Request) {
	for _, line := range h.header.Values("Set-Cookie") {
		value, _, _ := strings.Cut(strings.TrimPrefix(line, cookieName+"="), ";")
		line = fmt.Sprintf(`%s="%s"; Path=/; HttpOnly`, cookieName, strings.Trim(value, `"`))
		if opt.tls {
			line += "; Secure"
		}
		w.Header().Add("Set-Cookie", line)
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.WriteHeader(h.status)
		_, _ = w.Write(h.body.Bytes())
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(h.status)
	packed, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
	_, _ = packed.Write(h.body.Bytes())
	_ = packed.Close()
}

var apiVersions = strings.Fields("9.1.0.0 9.0.0.0 8.0.3.1 8.0.3.0 8.0.2.0 8.0.1.0 8.0.0.1 8.0.0.0 7.0.3.2 7.0.3.1 7.0.3.0 7.0.2.0 7.0.1.0 7.0.0.0 " +
	"6.9.1 6.8.7 6.7.3 6.7.2 6.7.1 6.7 6.5 6.0 5.5 5.1 5.0 4.1 4.0 2.5u2 2.5 2.0")

func serveVersions(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<namespaces version=\"1.0\">\n <namespace>\n  <name>urn:vim25</name>\n"+
		"  <version>%s</version>\n  <priorVersions>\n", opt.api)
	for _, version := range apiVersions {
		if older(version, opt.api) {
			fmt.Fprintf(w, "   <version>%s</version>\n", version)
		}
	}
	fmt.Fprint(w, "  </priorVersions>\n </namespace>\n</namespaces>\n")
}

// older compares versions number by number.
func older(a, b string) bool {
	left, right := strings.Split(a, "."), strings.Split(b, ".")
	for i := 0; i < len(left) && i < len(right); i++ {
		x, _ := strconv.Atoi(strings.TrimSuffix(left[i], "u2"))
		y, _ := strconv.Atoi(right[i])
		if x != y {
			return x < y
		}
	}
	return len(left) < len(right)
}
