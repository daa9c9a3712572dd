package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// How long a named condition is waited for.
const waitMax = 30 * time.Second

// server is the real binary as a child process on an empty database.
type server struct {
	command *exec.Cmd
	folder  string
	address string
}

func startServer() (*server, error) {
	folder, err := os.MkdirTemp("", "bankfeed-client-")
	if err != nil {
		return nil, err
	}
	binary := cmp.Or(os.Getenv("BANKFEED_BINARY"), "target/debug/bankfeed")
	command := exec.Command(binary, "serve", "--listen", "127.0.0.1:0", "--db", filepath.Join(folder, "bank.db"))
	command.Env = append(os.Environ(), "BANKFEED_POLL_MS=50", "BANKFEED_COOL_DOWN_TEST=0")
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	// The address is printed once the server takes requests.
	address := regexp.MustCompile(`http://(127\.0\.0\.1:\d+)`)
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if found := address.FindStringSubmatch(lines.Text()); found != nil {
			go io.Copy(io.Discard, output)
			return &server{command: command, folder: folder, address: found[1]}, nil
		}
	}
	return nil, fmt.Errorf("the server did not start: %w", command.Wait())
}

func (s *server) stop() {
	s.command.Process.Signal(syscall.SIGTERM)
	s.command.Wait()
	os.RemoveAll(s.folder)
}

// delivery is a webhook as it came: the bytes that were signed, and the signature.
type delivery struct {
	body      []byte
	signature string
}

// inbox is a webhook endpoint that keeps what it is sent.
type inbox struct {
	url        string
	mutex      sync.Mutex
	deliveries []delivery
	came       chan struct{}
}

func openInbox() (*inbox, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	in := &inbox{url: "http://" + listener.Addr().String() + "/webhook", came: make(chan struct{}, 1)}
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		in.mutex.Lock()
		in.deliveries = append(in.deliveries, delivery{body, r.Header.Get("Stripe-Signature")})
		in.mutex.Unlock()
		select {
		case in.came <- struct{}{}:
		default:
		}
	}))
	return in, nil
}

// wait looks at every delivery until find says that it is the one.
func (in *inbox) wait(what string, find func(delivery) (bool, error)) error {
	late := time.After(waitMax)
	for seen := 0; ; {
		in.mutex.Lock()
		fresh := in.deliveries[seen:]
		in.mutex.Unlock()
		for _, one := range fresh {
			seen++
			if found, err := find(one); found || err != nil {
				return err
			}
		}
		select {
		case <-in.came:
		case <-late:
			return fmt.Errorf("waited %s for %s; %d webhooks came", waitMax, what, seen)
		}
	}
}

// cutOnce is a way to the server whose first connection is cut after the server has done the work.
func cutOnce(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		for first := true; ; first = false {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go forward(client, address, first)
		}
	}()
	return listener, nil
}

func forward(client net.Conn, address string, cut bool) {
	defer client.Close()
	upstream, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer upstream.Close()
	go io.Copy(upstream, client)
	if cut {
		upstream.Read(make([]byte, 1))
		return
	}
	io.Copy(client, upstream)
}
