// The control port: plain HTTP with JSON, for tests to make things happen and to see the truth.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

type answer = map[string]interface{}

var routes = map[string]func(*http.Request) (interface{}, error){
	"POST /task":               postTask,
	"POST /tasks":              postTasks,
	"POST /fail":               postFail,
	"POST /sessions/terminate": func(*http.Request) (interface{}, error) { return answer{"count": sessions.terminateAll()}, nil },
	"GET /sessions":            getSessions,
	"GET /collectors":          getCollectors,
	"GET /calls":               getCalls,
	"GET /entities":            getEntities,
}

func serveControl(listener net.Listener) {
	check(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodGet && r.URL.Path == "/tasks" {
			getTasks(w, r)
			return
		}
		handle, ok := routes[r.Method+" "+r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			handle = func(*http.Request) (interface{}, error) { return answer{"error": "no such call"}, nil }
		}
		result, err := handle(r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			result = answer{"error": err.Error()}
		}
		_ = json.NewEncoder(w).Encode(result)
	})))
}

func decode(r *http.Request, into interface{}) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func postTask(r *http.Request) (interface{}, error) {
	var o order
	if err := decode(r, &o); err != nil {
		return nil, err
	}
	t, err := o.start()
	if err != nil {
		return nil, err
	}
	return answer{"key": t.self.Value}, nil
}

// postTasks starts many; without an entity they go round the machines.
func postTasks(r *http.Request) (interface{}, error) {
	o := order{Count: 1}
	if err := decode(r, &o); err != nil {
		return nil, err
	}
	machines := entities("VirtualMachine")
	keys := []string{}
	for i := 0; i < o.Count; i++ {
		one := o
		if o.Entity == "" && len(machines) > 0 {
			one.Entity = machines[i%len(machines)].Value
		}
		t, err := one.start()
		if err != nil {
			return nil, err
		}
		keys = append(keys, t.self.Value)
	}
	return answer{"keys": keys}, nil
}

func postFail(r *http.Request) (interface{}, error) {
	f := failure{Count: 1}
	if err := decode(r, &f); err != nil {
		return nil, err
	}
	sdk.mu.Lock()
	defer sdk.mu.Unlock()
	if f.Count <= 0 {
		sdk.fails = nil
	} else {
		sdk.fails = append(sdk.fails, &f)
	}
	return answer{"failures": sdk.fails}, nil
}

func getSessions(*http.Request) (interface{}, error) {
	list := []answer{}
	for _, s := range sessions.list() {
		list = append(list, answer{"key": s.Key, "user": s.UserName, "locale": s.Locale, "userAgent": s.UserAgent, "calls": s.CallCount})
	}
	return answer{"count": len(list), "sessions": list}, nil
}

func getCollectors(*http.Request) (interface{}, error) {
	tasks.mu.Lock()
	history := len(tasks.collectors)
	tasks.mu.Unlock()
	updates.mu.Lock()
	defer updates.mu.Unlock()
	filters := 0
	for pc := range updates.collectors {
		pc.mu.Lock()
		filters += len(pc.filters)
		pc.mu.Unlock()
	}
	return answer{"history": history, "property": len(updates.collectors), "filters": filters}, nil
}

func getCalls(*http.Request) (interface{}, error) {
	sdk.mu.Lock()
	defer sdk.mu.Unlock()
	counts := answer{}
	for method, count := range sdk.calls {
		counts[method] = count
	}
	return counts, nil
}

func getEntities(*http.Request) (interface{}, error) {
	list := []answer{}
	for _, of := range entities("") {
		one := answer{"type": of.Type, "value": of.Value, "name": nameOf(of)}
		if parent := simulator.Map.Get(of).(mo.Entity).Entity().Parent; parent != nil {
			one["parent"] = parent.Value
		}
		list = append(list, one)
	}
	return list, nil
}

type truth struct {
	Key           string     `json:"key"`
	State         string     `json:"state"`
	QueueTime     time.Time  `json:"queueTime"`
	StartTime     *time.Time `json:"startTime"`
	CompleteTime  *time.Time `json:"completeTime"`
	Progress      int32      `json:"progress"`
	Cancelled     bool       `json:"cancelled"`
	DescriptionID string     `json:"descriptionId"`
	Entity        string     `json:"entity"`
	EntityName    string     `json:"entityName"`
	Fault         string     `json:"fault"`
}

func truthOf(info *types.TaskInfo) truth {
	t := truth{Key: info.Key, State: string(info.State), QueueTime: info.QueueTime, StartTime: info.StartTime, CompleteTime: info.CompleteTime,
		Progress: info.Progress, Cancelled: info.Cancelled, DescriptionID: info.DescriptionId, EntityName: info.EntityName}
	if info.Entity != nil {
		t.Entity = info.Entity.Type + ":" + info.Entity.Value
	}
	if info.Error != nil {
		t.Fault = kindOf(info.Error.Fault)
	}
	return t
}

// getTasks lists every task that is remembered; ?live=true those that began here, ?count=true only their number.
func getTasks(w http.ResponseWriter, r *http.Request) {
	from, to := 0, 0
	tasks.mu.Lock()
	from, to = tasks.low, tasks.end()
	if r.FormValue("live") == "true" && from < tasks.past.count {
		from = tasks.past.count
	}
	tasks.mu.Unlock()
	counting := r.FormValue("count") == "true"
	states := map[string]int{}
	count := 0
	out := bufio.NewWriterSize(w, 1<<16)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for i := from; i < to; i++ {
		tasks.mu.Lock()
		info, _ := tasks.at(i)
		tasks.mu.Unlock()
		if info == nil {
			continue
		}
		count++
		if counting {
			states[string(info.State)]++
			continue
		}
		_, _ = out.WriteString(map[bool]string{true: "[", false: ","}[count == 1])
		_ = encoder.Encode(truthOf(info))
	}
	switch {
	case counting:
		_ = encoder.Encode(answer{"count": count, "states": states})
	case count == 0:
		_, _ = out.WriteString("[]\n")
	default:
		_, _ = out.WriteString("]\n")
	}
}
