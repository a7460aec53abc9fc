// Sessions: the library keeps them; here they are counted, end when idle, and can be ended all at once.
// A call that is still waiting keeps its session from being idle.
package main

import (
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

type use struct {
	last time.Time
	busy int
}

type sessionTable struct {
	mu   sync.Mutex
	uses map[string]*use
}

func newSessionTable() *sessionTable {
	return &sessionTable{uses: map[string]*use{}}
}

// outside is a context of nobody's session.
func outside() *simulator.Context {
	return &simulator.Context{
		Map:     simulator.Map,
		Session: &simulator.Session{Registry: simulator.NewRegistry()},
	}
}

// list is every session that the library has.
func (s *sessionTable) list() []types.UserSession {
	manager := outside().Session.Get(simulator.Map.SessionManager().Self).(*simulator.SessionManager)
	return manager.SessionList
}

func (s *sessionTable) alive(key string) bool {
	for _, session := range s.list() {
		if session.Key == key {
			return true
		}
	}
	return false
}

func (s *sessionTable) terminate(keys ...string) {
	manager := simulator.Map.SessionManager()
	for _, key := range keys {
		manager.TerminateSession(outside(), &types.TerminateSession{SessionId: []string{key}})
	}
}

func (s *sessionTable) terminateAll() int {
	all := s.list()
	for _, session := range all {
		s.terminate(session.Key)
	}
	s.drop()
	return len(all)
}

// begin notes a call in a session; one that was idle too long has ended just before it.
func (s *sessionTable) begin(key string) (end func()) {
	if key == "" {
		return func() {}
	}
	s.mu.Lock()
	u := s.uses[key]
	if u == nil {
		u = &use{last: time.Now()}
		s.uses[key] = u
	}
	late := s.late(u)
	u.busy++
	u.last = time.Now()
	s.mu.Unlock()
	if late {
		s.terminate(key)
	}
	var once sync.Once
	return func() {
		once.Do(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			u.busy--
			u.last = time.Now()
		})
	}
}

func (s *sessionTable) late(u *use) bool {
	return opt.idle > 0 && u.busy == 0 && time.Since(u.last) > opt.idle
}

// watch ends idle sessions and drops what belonged to ended ones.
func (s *sessionTable) watch() {
	for ; ; time.Sleep(250 * time.Millisecond) {
		var idle []string
		s.mu.Lock()
		for _, session := range s.list() {
			u := s.uses[session.Key]
			if u == nil {
				s.uses[session.Key] = &use{last: time.Now()}
			} else if s.late(u) {
				idle = append(idle, session.Key)
			}
		}
		s.mu.Unlock()
		s.terminate(idle...)
		s.drop()
	}
}

func (s *sessionTable) drop() {
	alive := map[string]bool{}
	for _, session := range s.list() {
		alive[session.Key] = true
	}
	has := func(key string) bool { return alive[key] }
	updates.drop(has)
	tasks.mu.Lock()
	for c := range tasks.collectors {
		if !alive[c.session] {
			delete(tasks.collectors, c)
		}
	}
	tasks.mu.Unlock()
	s.mu.Lock()
	for key, u := range s.uses {
		if !alive[key] && u.busy == 0 {
			delete(s.uses, key)
		}
	}
	s.mu.Unlock()
}
