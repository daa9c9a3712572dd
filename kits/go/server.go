package bankfeedtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const readyMax = 30 * time.Second

// serverURL returns the address of the server. The first call starts it, on a free port with its data in
// memory.
//
// With the variable BANKFEED_URL it is the server at this address instead. The program is that of the
// variable BANKFEED_BINARY, or else bankfeed on the PATH. BANKFEED_ARGS contains further arguments of
// bankfeed serve, separated by spaces.
var serverURL = sync.OnceValues(func() (string, error) {
	if address := os.Getenv("BANKFEED_URL"); address != "" {
		return strings.TrimRight(address, "/"), nil
	}
	program := os.Getenv("BANKFEED_BINARY")
	if program == "" {
		found, err := exec.LookPath("bankfeed")
		if err != nil {
			return "", errors.New("there is no program bankfeed on the PATH. Install it, or set " +
				"BANKFEED_BINARY to the program, or BANKFEED_URL to a running server")
		}
		program = found
	}
	folder, err := os.MkdirTemp("", "bankfeedtest-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	return start(program, filepath.Join(folder, "ready"))
})

func start(program, ready string) (string, error) {
	// The system closes the pipe however this process ends, so no server is left behind.
	arguments := []string{"serve", "--memory", "--listen", "127.0.0.1:0", "--stop-with-stdin",
		"--ready-file", ready, "--log-level", "warn"}
	arguments = append(arguments, strings.Fields(os.Getenv("BANKFEED_ARGS"))...)
	command := exec.Command(program, arguments...)
	if _, err := command.StdinPipe(); err != nil {
		return "", err
	}
	var log bytes.Buffer
	command.Stderr = &log
	if err := command.Start(); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	deadline := time.After(readyMax)
	for {
		if address, err := os.ReadFile(ready); err == nil && len(bytes.TrimSpace(address)) > 0 {
			return strings.TrimRight(string(bytes.TrimSpace(address)), "/"), nil
		}
		select {
		case err := <-ended:
			return "", fmt.Errorf("bankfeed ended: %v\n%s", err, log.String())
		case <-deadline:
			return "", fmt.Errorf("bankfeed was not ready after %s", readyMax)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
