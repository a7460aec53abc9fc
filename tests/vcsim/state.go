// The state file: a line that says how the past is made, then a line for each task that began or changed its state,
// as XML, for the library can write and read that. The last line of a task counts; a kill loses nothing.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"time"

	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vim25/xml"
)

type header struct {
	Instance string    `json:"instance"`
	History  int       `json:"history"`
	FirstID  int       `json:"firstId"`
	Made     time.Time `json:"made"`
}

type saved struct {
	header
	tasks []types.TaskInfo
}

type journal struct {
	file *os.File
}

func readState(path string) (saved, error) {
	s := saved{header: header{History: opt.history, FirstID: opt.firstID, Made: now()}}
	if path == "" {
		return s, nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(data) == 0 {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	head, lines, _ := bytes.Cut(data, []byte("\n"))
	if err := json.Unmarshal(head, &s.header); err != nil {
		return s, err
	}
	places := map[string]int{}
	for scan := bufio.NewReader(bytes.NewReader(lines)); ; {
		line, err := scan.ReadBytes('\n')
		if err != nil {
			return s, nil // a line without its end was being written at the kill
		}
		var info types.TaskInfo
		decoder := xml.NewDecoder(bytes.NewReader(line))
		decoder.TypeFunc = types.TypeFunc()
		if err := decoder.Decode(&info); err != nil {
			return s, err
		}
		if place, known := places[info.Key]; known {
			s.tasks[place] = info
		} else {
			places[info.Key] = len(s.tasks)
			s.tasks = append(s.tasks, info)
		}
	}
}

// restore puts the saved tasks into the history and begins the file anew. What ran at the end is over or gone; no
// reference resolves any longer.
func (s *saved) restore(h *history) error {
	h.past = newPast(s.History, s.FirstID, s.Made)
	h.nextKey = s.FirstID + s.History
	h.chain += int32(s.History) * 3
	for i := range s.tasks {
		info := &s.tasks[i]
		if n := number(info.Key); n >= h.nextKey {
			h.nextKey = n + 1
		}
		if info.EventChainId > h.chain {
			h.chain = info.EventChainId
		}
		if !finished(info) {
			if opt.lost == "vanish" {
				continue
			}
			at := now()
			info.State, info.CompleteTime, info.Error = types.TaskInfoStateError, &at, faultFor("SystemError", "")
		}
		t := &task{index: h.end(), self: info.Task, info: info, above: above(info.Entity), gone: true}
		h.live = append(h.live, t)
		h.byKey[info.Key] = t
	}
	if opt.state == "" {
		return nil
	}
	s.Instance = opt.instance
	fresh := opt.state + ".new"
	file, err := os.Create(fresh)
	if err != nil {
		return err
	}
	h.journal = &journal{file}
	if err := json.NewEncoder(file).Encode(s.header); err != nil {
		return err
	}
	for _, t := range h.live {
		h.journal.write(t.info)
	}
	return os.Rename(fresh, opt.state)
}

func (j *journal) write(info *types.TaskInfo) {
	if j == nil {
		return
	}
	var line bytes.Buffer
	check(xml.NewEncoder(&line).Encode(info))
	line.WriteByte('\n')
	_, err := j.file.Write(line.Bytes())
	check(err)
}

func (j *journal) close() {
	if j != nil {
		_ = j.file.Close()
	}
}
