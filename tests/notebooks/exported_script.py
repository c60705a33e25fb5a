# as: script
# expect: ex1, ex2, ex3, ex4 pass
#!/usr/bin/env python
# coding: utf-8

# # makemore: becoming a backprop ninja

# In[1]:

get_ipython().run_line_magic('matplotlib', 'inline')
get_ipython().system('wget https://example.org/names.txt')

# In[2]:

#: setup
#: forward

# In[7]:

# Exercise 1: backprop through the whole thing manually

#: ex1
#: cmps

# In[8]:

#: ex2

# In[9]:

#: ex3

# In[ ]:

#: ex4
