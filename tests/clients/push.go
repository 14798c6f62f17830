// Pushes content without waiting for anything; prints one line of JSON per exchange.
//
//	push URL length|chunked BYTES RUNS PARALLEL
package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
)

type exchange struct {
	Status int    `json:"status,omitempty"`
	Error  string `json:"error,omitempty"`
}

func number(arg int) int {
	n, err := strconv.Atoi(os.Args[arg])
	if err != nil {
		panic(err)
	}
	return n
}

func push(url string, framing string, content []byte) exchange {
	req, err := http.NewRequest("PUT", url, bytes.NewReader(content))
	if err != nil {
		return exchange{Error: err.Error()}
	}
	if framing == "chunked" {
		req.Body = io.NopCloser(bytes.NewReader(content))
		req.ContentLength = -1
	}
	// A reader that can be rewound would let the transport try once more.
	req.GetBody = nil
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return exchange{Error: err.Error()}
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return exchange{Error: err.Error()}
	}
	return exchange{Status: res.StatusCode}
}

func main() {
	content := bytes.Repeat([]byte("x"), number(3))
	runs := make(chan struct{}, number(4))
	for i := 0; i < number(4); i++ {
		runs <- struct{}{}
	}
	close(runs)
	var workers sync.WaitGroup
	var lines sync.Mutex
	out := json.NewEncoder(os.Stdout)
	for i := 0; i < number(5); i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for range runs {
				seen := push(os.Args[1], os.Args[2], content)
				lines.Lock()
				out.Encode(seen)
				lines.Unlock()
			}
		}()
	}
	workers.Wait()
}
