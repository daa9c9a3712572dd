package bankfeedtest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The example of README.md passes, exactly as it is printed there.
func TestTheExampleOfThePage(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("(?s)```go\n(.*?)```").FindSubmatch(page)[1]
	// Inside the module, so that the example finds the package by its path.
	folder, err := os.MkdirTemp(".", "page-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	if err := os.WriteFile(filepath.Join(folder, "tip_test.go"), code, 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := exec.Command("go", "test", "-count=1", "-v", "./"+folder).CombinedOutput()
	if err != nil || !strings.Contains(string(output), "--- PASS: TestTip") {
		t.Fatalf("%v\n%s", err, output)
	}
}
