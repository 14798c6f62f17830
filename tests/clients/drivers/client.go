// Go's net/http behind the protocol of ../suite/driver.mjs.
//
//	client plain|expect
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"
)

var transport = &http.Transport{ExpectContinueTimeout: time.Second}
var client = http.Client{Transport: transport}

func put(url string, content []byte, isChunked bool, credentials string) (int, error) {
	req, err := http.NewRequest("PUT", url, bytes.NewReader(content))
	if err != nil {
		return 0, err
	}
	if isChunked {
		req.Body = io.NopCloser(bytes.NewReader(content))
		req.ContentLength = -1
		req.GetBody = nil
	}
	if os.Args[1] == "expect" {
		req.Header.Set("Expect", "100-continue")
	}
	if user, password, ok := strings.Cut(credentials, ":"); ok {
		req.SetBasicAuth(user, password)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}

func upload(credentials string, framing string, url string, file string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	isChunked := framing == "chunked"
	note := ""
	status, err := put(url, content, isChunked, "-")
	if err == nil && status == 401 && credentials != "-" {
		note = "caller"
		status, err = put(url, content, isChunked, credentials)
	}
	if err != nil {
		return fmt.Sprintf("0\t%q", err.Error())
	}
	return fmt.Sprintf("%d\t%s", status, note)
}

func main() {
	fmt.Printf("ready\t%s\n", strings.TrimPrefix(runtime.Version(), "go"))
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		f := strings.Split(lines.Text(), "\t")
		fmt.Printf("%s\t%s\n", upload(f[0], f[1], f[2], f[3]), upload("-", "length", f[4], f[5]))
	}
}
