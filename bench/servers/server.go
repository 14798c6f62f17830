// The same in Go: refuses what is declared larger than the limit, reads the rest. Prints its port.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
)

const limit = 10 << 20

func files(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if r.URL.Path == "/pending" {
		<-r.Context().Done()
		return
	}
	io.Copy(io.Discard, r.Body)
	w.WriteHeader(http.StatusCreated)
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	http.HandleFunc("/", files)
	panic(http.Serve(listener, nil))
}
